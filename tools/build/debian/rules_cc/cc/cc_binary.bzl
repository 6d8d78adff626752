"""cc_binary, under the label that it has in later versions of Bazel."""

load(":defs.bzl", _cc_binary = "cc_binary")

cc_binary = _cc_binary
