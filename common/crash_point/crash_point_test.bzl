"""Tests that stop the code under test before every store to an arena."""

load("@rules_cc//cc:defs.bzl", "cc_test")

def crash_point_test(name, srcs, code, deps, **kwargs):
    """A cc_test whose sources are compiled for crash points.

    Args:
      name: name of the test.
      srcs: the test.
      code: filegroups with the sources and headers of the code under test; it
        is compiled into the test once more, for crash points.
      deps: libraries that store to no arena.
      **kwargs: as for cc_test.
    """
    cc_test(
        name = name,
        srcs = srcs + code,
        copts = [
            # Instruments the stores; the functions it calls are ours.
            "-fsanitize=thread",
            "-O2",
        ],
        # Tests can put bugs into it, to see that they are found.
        local_defines = ["ETS_KEEPER_SEEDED_BUGS"],
        tags = [
            "crash_point",
            # No sanitizer's runtime can be linked beside our own.
            "noasan",
            "notsan",
        ],
        deps = deps + ["//common/crash_point:crash_points"],
        **kwargs
    )
