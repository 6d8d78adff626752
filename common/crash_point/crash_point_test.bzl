"""Tests that stop the code under test before every store to an arena."""

load("@rules_cc//cc:defs.bzl", "cc_test")

def crash_point_test(name, srcs, code, deps, seeded_bug = None, **kwargs):
    """A cc_test whose sources are compiled for crash points.

    Args:
      name: name of the test.
      srcs: the test.
      code: filegroups with the sources and headers of the code under test; it
        is compiled into the test once more, for crash points.
      deps: libraries that store to no arena.
      seeded_bug: a member of SeededBug that is compiled in; the test then has
        to find it.
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
        local_defines = (
            ["ETS_KEEPER_SEEDED_BUG=" + seeded_bug] if seeded_bug else []
        ),
        tags = [
            "crash_point",
            # No sanitizer's runtime can be linked beside our own.
            "noasan",
            "notsan",
        ],
        deps = deps + ["//common/crash_point:crash_points"],
        **kwargs
    )
