"""cc_test, under the label that it has in later versions of Bazel."""

load(":defs.bzl", _cc_test = "cc_test")

cc_test = _cc_test
