"""One line that proves a backend of the registry."""

load("@rules_cc//cc:defs.bzl", "cc_test")

def registry_conformance_test(name, backend, header, deps, **kwargs):
    """Runs the tests of every Registry against one backend.

        registry_conformance_test(
            name = "my_names_conformance_test",
            backend = "my::MyNames",
            header = "my/my_names.h",
            deps = [":my_names"],
        )

    Args:
      name: name of the test.
      backend: the class under test; made from a Runtime&.
      header: where it is defined, as #include wants it.
      deps: the library of the header.
      **kwargs: as for cc_test.
    """
    source = [
        "#include \"%s\"" % header,
        "#include \"registry/registry_conformance.h\"",
        "const bool registered =",
        "    ets_keeper::registry::RegisterConformanceTests<%s>(\"%s\");" %
        (backend, backend),
    ]
    native.genrule(
        name = name + "_source",
        testonly = True,
        outs = [name + ".cc"],
        cmd = "cat >$@ <<'END'\n%s\nEND" % "\n".join(source),
    )
    cc_test(
        name = name,
        srcs = [":%s.cc" % name],
        deps = deps + [
            # Of this repository, whoever calls.
            Label("//registry:registry_conformance"),
            Label("@com_google_googletest//:gtest_main"),
        ],
        **kwargs
    )
