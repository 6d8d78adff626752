"""Libraries that are used if they are installed.

Only benchmarks use them, as peers to compare with; everything else builds
without.
"""

# By name: a header that tells whether the library is there, which headers it
# has if it was unpacked by benchmarks/install_peers, and how it is linked.
_LIBRARIES = {
    "boost": struct(
        header = "boost/unordered/concurrent_flat_map.hpp",
        patterns = ["boost/*.h*"] + [
            "boost/%s/**" % part
            for part in [
                "assert",
                "config",
                "container_hash",
                "core",
                "describe",
                "detail",
                "exception",
                "mp11",
                "predef",
                "type_traits",
                "unordered",
            ]
        ],
        # Its parallel algorithms want the standard library's, and those TBB.
        defines = ["BOOST_NO_CXX17_HDR_EXECUTION"],
        linkopts = [],
    ),
    "libcuckoo": struct(
        header = "libcuckoo/cuckoohash_map.hh",
        patterns = ["libcuckoo/**"],
        defines = [],
        linkopts = [],
    ),
    "lmdb": struct(
        header = "lmdb.h",
        patterns = [],
        defines = [],
        linkopts = ["-llmdb"],
    ),
    "phmap": struct(
        header = "parallel_hashmap/phmap.h",
        patterns = ["parallel_hashmap/**"],
        defines = [],
        linkopts = [],
    ),
    "tbb": struct(
        header = "tbb/concurrent_hash_map.h",
        patterns = [],
        defines = [],
        linkopts = ["-ltbb"],
    ),
}

# What the compiler looks into by itself.
_SYSTEM_FOLDERS = ["/usr/include", "/usr/local/include"]

_INSTALLED = """# Generated: which of the optional libraries are installed.
INSTALLED = {installed}
"""

_BUILD = """load("@rules_cc//cc:defs.bzl", "cc_library")

package(default_visibility = ["//visibility:public"])
"""

_LIBRARY = """
cc_library(
    name = "{name}",
    hdrs = glob({patterns}, allow_empty = True),
    defines = {defines},
    includes = ["{name}"],
    linkopts = {linkopts},
)
"""

def _unpacked_folder(repository_ctx):
    environ = repository_ctx.os.environ
    cache = environ.get("XDG_CACHE_HOME") or environ.get("HOME", "") + "/.cache"
    return cache + "/ets_keeper/peers/usr/include"

def _find(repository_ctx, header):
    for folder in [_unpacked_folder(repository_ctx)] + _SYSTEM_FOLDERS:
        if repository_ctx.path(folder + "/" + header).exists:
            return folder
    return None

def _optional_libraries_impl(repository_ctx):
    installed = []
    build = _BUILD
    for name, library in _LIBRARIES.items():
        folder = _find(repository_ctx, library.header)
        if not folder:
            continue
        installed.append(name)
        patterns = []
        if folder not in _SYSTEM_FOLDERS:
            # Bazel wants to be told of headers that the compiler does not find.
            top = library.header.split("/")[0]
            repository_ctx.symlink(folder + "/" + top, name + "/" + top)
            patterns = [name + "/" + pattern for pattern in library.patterns]
        build += _LIBRARY.format(
            defines = library.defines,
            linkopts = library.linkopts,
            name = name,
            patterns = patterns,
        )
    repository_ctx.file("WORKSPACE")
    repository_ctx.file("BUILD", build)
    repository_ctx.file(
        "installed.bzl",
        _INSTALLED.format(installed = installed),
    )

optional_libraries = repository_rule(
    implementation = _optional_libraries_impl,
    doc = "Defines //:NAME for each library that is installed, and " +
          "//:installed.bzl with the list INSTALLED of their names. It looks " +
          "again whenever Bazel's server starts.",
    configure = True,
    environ = ["HOME", "XDG_CACHE_HOME"],
    local = True,
)
