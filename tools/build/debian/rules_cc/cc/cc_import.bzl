"""cc_import, under the label that it has in later versions of Bazel."""

load(":defs.bzl", _cc_import = "cc_import")

cc_import = _cc_import
