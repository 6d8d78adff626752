"""A library that is used as the system has it, if it has it."""

_BUILD = """
load("@rules_cc//cc:defs.bzl", "cc_library")

# Looks for the library when something that uses it is built, and not before:
# nothing else needs it, and once it is installed the build goes on.
genrule(
    name = "installed",
    outs = ["installed.h"],
    cmd = "echo '#include <{header}>' | $(CC) -x c++ -fsyntax-only - 2> $@ || " +
          "{{ echo 'Please install {package}: <{header}> is missing.' >&2; exit 1; }}",
    toolchains = ["@bazel_tools//tools/cpp:current_cc_toolchain"],
)

cc_library(
    name = "{library}",
    hdrs = [":installed"],
    linkopts = ["-l{library}"],
    # Whoever builds //... should not need it.
    tags = ["manual"],
    visibility = ["//visibility:public"],
)
"""

def _system_library_impl(repository_ctx):
    attr = repository_ctx.attr
    repository_ctx.file("WORKSPACE")
    repository_ctx.file("BUILD", _BUILD.format(
        header = attr.header,
        library = attr.library,
        package = attr.package,
    ))

system_library = repository_rule(
    implementation = _system_library_impl,
    doc = "Defines //:LIBRARY. Building it names the package to install if the library is missing.",
    attrs = {
        "header": attr.string(
            doc = "One of the library's headers, to tell whether it is there.",
            mandatory = True,
        ),
        "library": attr.string(
            doc = "The name that -l takes.",
            mandatory = True,
        ),
        "package": attr.string(
            doc = "The Debian package.",
            mandatory = True,
        ),
    },
)
