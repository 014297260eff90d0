//! Compilers and what else only builds.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Directory;
use crate::rule::seen::Image;
use crate::rule::seen::Installed;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "build-tools",
    title: "compilers and build tools",
    what: "Packages that compile, link or drive builds (gcc, binutils, make, cmake, clang, \
           rustc, golang, JDKs' compilers, Maven, Gradle, …), and toolchains below \
           `/usr/local/go`, `.rustup` and the like, in an image whose command leads to none of \
           them.",
    why: "What only builds belongs into a first stage: it is large, and of use to whoever \
           breaks in.",
    fix: "build in a first stage, and copy what was built",
    example: "FROM debian:12 AS build\n\
           RUN apt-get update && apt-get install -y build-essential\n\
           RUN make install PREFIX=/out\n\
           \n\
           FROM debian:12-slim\n\
           COPY --from=build /out /usr/local",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Packages(is_tool), Look::Below(is_toolchain)],
};

/// Names of packages, version numbers at their ends left out.
const TOOLS: [&str; 62] = [
    "ant",
    "autoconf",
    "automake",
    "autotools-dev",
    "bazel",
    "binutils",
    "bison",
    "build-base",
    "build-essential",
    "byacc",
    "cargo",
    "ccache",
    "clang",
    "cmake",
    "cmake-data",
    "cpp",
    "cython",
    "cython3",
    "debhelper",
    "dpkg-dev",
    "elfutils",
    "fakeroot",
    "flex",
    "fortify-headers",
    "g++",
    "gcc",
    "gcc-c++",
    "gdb",
    "gfortran",
    "ghc",
    "go",
    "golang",
    "golang-go",
    "golang-src",
    "gradle",
    "libtool",
    "llvm",
    "lld",
    "m4",
    "make",
    "maven",
    "mercurial-common",
    "meson",
    "musl-dev",
    "nasm",
    "ninja",
    "ninja-build",
    "node-gyp",
    "patch",
    "pkg-config",
    "pkgconf",
    "pkgconf-bin",
    "protobuf-compiler",
    "quilt",
    "rust",
    "rustc",
    "scons",
    "strace",
    "swig",
    "valgrind",
    "yasm",
    "yarnpkg",
];

/// Parts of a compiler that are packages of their own.
const PARTS: [&str; 13] = [
    "binutils-",
    "clang-",
    "cpp-",
    "g++-",
    "gcc-",
    "gfortran-",
    "golang-1",
    "llvm-",
    "libllvm-tools",
    "llvm1",
    "lld-",
    "rust-std-",
    "swig4",
];

fn is_tool(image: &Image<'_>, installed: &Installed<'_>) -> Option<Confidence> {
    if !installed.is_of_distribution() {
        return None;
    }
    let name = installed.package.name.as_str();
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    // `gcc-12-base`, `llvm17-libs`: what is built needs them.
    let is_base = ["-base", "-libs"].iter().any(|end| name.ends_with(end));
    let is_jdk = name.starts_with("openjdk")
        && ["-jdk", "-jdk-headless"].iter().any(|end| name.ends_with(end));
    let is = is_jdk
        || TOOLS.contains(&name)
        || (!is_base && (TOOLS.contains(&stem) || PARTS.iter().any(|part| name.starts_with(part))));
    is.then(|| installed.unneeded(image, Confidence::High)).flatten()
}

fn is_toolchain(at: &Directory<'_>) -> bool {
    (at.is("/usr/local/go") && at.has("pkg"))
        || at.ends("/.rustup/toolchains")
        || at.is("/usr/local/rustup/toolchains")
        || (["/usr/share/maven", "/opt/maven", "/opt/gradle"].iter().any(|home| at.is(home))
            && at.has("lib"))
        || at.ends("/lib/node_modules/npm/node_modules/node-gyp")
        || at.ends("/.sdkman")
}
