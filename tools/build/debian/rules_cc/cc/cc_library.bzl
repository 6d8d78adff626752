"""cc_library, under the label that it has in later versions of Bazel."""

load(":defs.bzl", _cc_library = "cc_library")

cc_library = _cc_library
