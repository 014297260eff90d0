//! Caches of package managers and others, and what only looks like one.

use jettison_testkit::image::LayerBuilder;

use super::case::{Case, Found, image, sized};
use crate::jettison::User;
use crate::shop::content;

/// Rules that look at places alone: what is found, and near misses.
type Row = (&'static str, &'static str, &'static [(&'static str, u64)], &'static [&'static str]);

const ROWS: [Row; 13] = [
    (
        "apt-lists",
        "high",
        &[("var/lib/apt/lists/deb_Packages", 5000), ("var/lib/apt/lists/partial/x", 400)],
        &["var/lib/apt/listing", "srv/var/lib/apt/lists/x"],
    ),
    (
        "apt-cache",
        "high",
        &[("var/cache/apt/pkgcache.bin", 5000), ("var/cache/apt/archives/a_1_amd64.deb", 400)],
        &["var/lib/apt/periodic/stamp", "srv/var/cache/apt/a.deb"],
    ),
    (
        "apk-cache",
        "high",
        &[("var/cache/apk/APKINDEX.1.tar.gz", 5000), ("etc/apk/cache/a-1.apk", 400)],
        &["etc/apk/repositories", "srv/a-1.apk"],
    ),
    (
        "dnf-cache",
        "high",
        &[
            ("var/cache/dnf/fedora.solv", 5000),
            ("var/cache/yum/x/repomd.xml", 400),
            ("var/cache/libdnf5/a/b", 300),
            ("var/cache/zypp/solv/c", 200),
            ("root/.cache/libdnf5/d", 100),
        ],
        &["var/lib/dnf/history.sqlite", "etc/dnf/a.repo"],
    ),
    (
        "pip-cache",
        "high",
        &[
            ("root/.cache/pip/http/a", 5000),
            ("home/u/.cache/uv/wheels/b", 400),
            ("app/.cache/pypoetry/c", 300),
            ("root/.cache/pipenv/d", 200),
            ("root/.cache/pdm/e", 100),
        ],
        &["srv/pip/a", "root/.config/uv/uv.json"],
    ),
    (
        "go-cache",
        "high",
        &[
            ("go/pkg/mod/cache/download/a", 5000),
            ("go/pkg/mod/example.test/m@v1/m.go", 400),
            ("root/.cache/go-build/00/x-d", 300),
        ],
        // Without a cache in it, it is somebody's directory.
        &["srv/pkg/mod/data", "go/bin/tool"],
    ),
    (
        "cargo-cache",
        "high",
        &[
            ("usr/local/cargo/registry/cache/a.crate", 5000),
            ("root/.cargo/git/db/b", 400),
            ("src/target/release/deps/libc.rlib", 300),
            ("src/target/release/.fingerprint/d/e", 200),
            ("src/target/release/build/f/out", 100),
        ],
        &["src/target/release/app", "usr/local/cargo/bin/tool", "srv/deps/x", "srv/build/y"],
    ),
    (
        "maven-cache",
        "high",
        &[("root/.m2/repository/g/a/1/a-1.pom", 5000), ("home/u/.m2/repository/x", 400)],
        &["root/.m2/toolchains.xml", "srv/repository/a-1.pom"],
    ),
    (
        "gradle-cache",
        "high",
        &[
            ("root/.gradle/caches/modules-2/a", 5000),
            ("root/.gradle/wrapper/dists/gradle-8/b", 400),
            ("root/.gradle/daemon/8/c", 300),
            ("root/.gradle/native/d", 200),
        ],
        &["root/.gradle/gradle.properties", "app/gradle/wrapper/gradle-wrapper.properties"],
    ),
    (
        "composer-cache",
        "high",
        &[("root/.composer/cache/files/a", 5000), ("home/u/.cache/composer/b", 400)],
        &["root/.composer/vendor/bin/tool", "srv/composer/cache/x"],
    ),
    (
        "generic-cache",
        "medium",
        &[
            ("root/.cache/thing/a", 5000),
            ("home/u/.cache/b", 400),
            ("var/cache/man/index.db", 300),
            ("var/cache/nginx/d", 200),
        ],
        // What was downloaded to be used, and what is made so that programs start faster.
        &[
            "root/.cache/huggingface/hub/model.safetensors",
            "home/u/.cache/torch/hub/checkpoints/net.pth.tar",
            "root/.cache/ms-playwright/chromium/chrome",
            "var/cache/fontconfig/x.cache-7",
            "var/cache/ldconfig/aux-cache",
            "root/.cached/x",
            "srv/cache/y",
        ],
    ),
    (
        "yarn-cache",
        "high",
        &[
            ("usr/local/share/.cache/yarn/v6/a", 5000),
            ("root/.yarn/berry/cache/b.zip", 400),
            ("srv/.yarn/cache/c.zip", 300),
        ],
        // Plug'n'Play loads modules from the archives themselves.
        &["app/.pnp.cjs", "app/.yarn/cache/d.zip", "app/.yarn/releases/yarn.cjs"],
    ),
    (
        "gem-cache",
        "high",
        &[
            ("usr/local/bundle/cache/a-1.gem", 5000),
            ("usr/local/lib/ruby/gems/3.3.0/cache/b-1.gem", 400),
            ("root/.bundle/cache/compact_index/c", 300),
        ],
        &[
            "usr/local/bundle/specifications/readme",
            "usr/local/lib/ruby/gems/3.3.0/specifications/readme",
            "usr/local/bundle/cache/readme",
            // No gems are installed beside it.
            "srv/cache/b-1.gem",
        ],
    ),
];

pub(super) fn cases() -> Vec<Case> {
    let rows = ROWS
        .iter()
        .map(|(rule, confidence, found, near)| Case::plain(rule, confidence, found, near));
    rows.chain([conda(), npm()]).collect()
}

/// Environments link to the packages that they use.
fn conda() -> Case {
    let found = [("opt/conda/pkgs/old-1/lib/x.so", 5000), ("opt/conda/pkgs/old-1.conda", 400)];
    let layer = sized(&found)
        .file("opt/conda/conda-meta/history", "==> now <==\n")
        .file("opt/conda/pkgs/new-2/lib/y.so", content("y", 3000))
        .hard_link("opt/conda/lib/y.so", "opt/conda/pkgs/new-2/lib/y.so")
        // No installation of conda's.
        .file("srv/pkgs/z", content("z", 700));
    Case::new("conda-cache", image(layer), &[Found::files("high", &found)])
}

/// pnpm's modules are links into its store.
fn npm() -> Case {
    let found = [
        ("root/.npm/_cacache/content-v2/a", 5000),
        ("root/.npm/_logs/b.txt", 400),
        ("root/.cache/node-gyp/22/c", 300),
        ("root/.node-gyp/d", 200),
        ("app/node_modules/.cache/babel/e.json", 100),
        ("root/.local/share/pnpm/store/v3/files/f", 90),
        ("app/.pnpm-store/v3/g", 80),
    ];
    let layer = sized(&found)
        .file("app/.pnpm-store/v3/used", content("used", 3000))
        .hard_link("app/node_modules/used/data", "app/.pnpm-store/v3/used")
        .file("srv/.npm/data", content("data", 700));
    Case::new("npm-cache", image(layer), &[Found::files("high", &found)])
}

#[test]
fn caches_are_found_and_what_looks_like_them_is_not() {
    let user = User::new();
    for case in cases() {
        case.check(&user);
    }
}

#[test]
fn what_is_below_a_volume_is_its_users() {
    let paths = ["data/.cache/x", "data/sub/tmp.log", "data/.git/objects/x", "data/usr/lib/a.a"];
    let layer =
        paths.iter().fold(LayerBuilder::new(), |layer, path| layer.file(path, content(path, 700)));
    let found = [("database/.git/x", 500)];
    let volume = image(layer.append(sized(&found))).volume("/data/");
    Case::new("vcs-directory", volume, &[Found::files("high", &found)]).check(&User::new());
}
