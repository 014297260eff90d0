//! Where Python, Node, Perl, Ruby, PHP and Java find modules, and what comes with one.

use jettison_testkit::image::{LayerBuilder, Meta};

use crate::reach::{Run, data, image, layer, programs};

const STANDARD: &str = "usr/lib/python3.11";
const SITE: &str = "usr/local/lib/python3.11/dist-packages";
const OTHER_SITE: &str = "usr/lib/python3/dist-packages";

/// An image that runs `/srv/app.py` of this text, with these modules.
fn python(text: &str, files: &[(&str, &str)]) -> LayerBuilder {
    let os = format!("{STANDARD}/os.py");
    let all = [&[("srv/app.py", text), (&os, "")], files].concat();
    programs(layer(&all), &["usr/bin/python3.11"]).symlink("usr/bin/python3", "python3.11")
}

/// The same files below a directory.
fn below<'a>(directory: &str, files: &[(&str, &'a str)]) -> Vec<(String, &'a str)> {
    files.iter().map(|(name, text)| (format!("{directory}/{name}"), *text)).collect()
}

fn by_text<'a>(files: &'a [(String, &'a str)]) -> Vec<(&'a str, &'a str)> {
    files.iter().map(|(path, text)| (path.as_str(), *text)).collect()
}

fn run(layer: LayerBuilder) -> Run {
    Run::of(image(layer).workdir("/srv").cmd(&["python3", "/srv/app.py"]))
}

#[test]
fn modules_of_the_standard_library_come_one_by_one_with_their_compiled_forms() {
    let files = [
        ("a.py", "def f():\n    import nested\n    importlib.import_module('literal')\n"),
        ("nested.py", "x = 1"),
        ("literal.py", "x = 1"),
        ("other.py", "x = 1"),
        ("__pycache__/a.cpython-311.pyc", "x"),
        ("__pycache__/other.cpython-311.pyc", "x"),
        ("encodings/__init__.py", "x = 1"),
        ("encodings/koi8_r.py", "x = 1"),
        ("lib-dynload/_fast.cpython-311-x86_64-linux-gnu.so", "x"),
        ("lib-dynload/_slow.cpython-311-x86_64-linux-gnu.so", "x"),
    ];
    let files = files.map(|(name, text)| (format!("{STANDARD}/{name}"), text));
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let run = run(python("import a\nimport _fast\n", &files));
    for (name, expected) in [
        ("a.py", "needed"),
        ("nested.py", "needed"),
        ("literal.py", "needed"),
        ("other.py", "none"),
        ("__pycache__/a.cpython-311.pyc", "needed"),
        ("__pycache__/other.cpython-311.pyc", "none"),
        // A text may come in any.
        ("encodings/koi8_r.py", "named"),
        ("lib-dynload/_fast.cpython-311-x86_64-linux-gnu.so", "needed"),
        ("lib-dynload/_slow.cpython-311-x86_64-linux-gnu.so", "none"),
    ] {
        run.evidence(&[(&format!("/{STANDARD}/{name}"), expected)]);
    }
}

#[test]
fn a_distribution_comes_whole_with_its_records_and_libraries() {
    let rows = [
        ("lib/__init__.py", "from . import part\n"),
        ("lib/part.py", "x = 1"),
        ("lib/left.py", "x = 1"),
        ("lib/templates/page.html", "x"),
        ("lib.libs/libneeded-1a2b.so.1", "x"),
        ("lib-1.0.dist-info/METADATA", "Name: lib\nVersion: 1.0\n\n"),
        ("lib-1.0.dist-info/RECORD", "lib/__init__.py,,\nlib/part.py,,\n"),
        ("other/__init__.py", "x = 1"),
        ("other.libs/libother-3c4d.so.1", "x"),
        ("on_start.pth", "/opt/extra\nimport hook; hook.now()\n"),
        ("hook.py", "x = 1"),
    ];
    let files = below(SITE, &rows);
    let mut files = by_text(&files);
    files.extend([("opt/extra/more.py", "x = 1"), ("opt/extra/never.py", "x = 1")]);
    let run = run(python("import lib, more\n", &files));
    for (name, expected) in [
        ("lib/__init__.py", "needed"),
        ("lib/part.py", "needed"),
        ("lib/templates/page.html", "package-mate"),
        ("lib.libs/libneeded-1a2b.so.1", "package-mate"),
        ("lib-1.0.dist-info/METADATA", "package-mate"),
        ("other/__init__.py", "none"),
        ("other.libs/libother-3c4d.so.1", "none"),
        ("hook.py", "needed"),
    ] {
        run.evidence(&[(&format!("/{SITE}/{name}"), expected)]);
    }
    run.evidence(&[("/opt/extra/more.py", "needed"), ("/opt/extra/never.py", "none")]);
    assert_eq!(run.used(&format!("/{SITE}/lib/part.py"))["owner"], "lib");
    assert_ne!(run.used(&format!("/{SITE}/lib/left.py"))["evidence"], "none");
}

#[test]
fn pip_marks_what_was_asked_for() {
    let rows = [
        (
            "app-1.dist-info/METADATA",
            "Name: app\nVersion: 1\nRequires-Dist: lib>=1\n\
          Requires-Dist: Extra_One; extra == \"fast\"\n\n",
        ),
        ("app-1.dist-info/REQUESTED", ""),
        ("lib-1.dist-info/METADATA", "Name: lib\nVersion: 1\n\n"),
        ("extra_one-1.dist-info/METADATA", "Name: extra-one\nVersion: 1\n\n"),
        ("left-1.dist-info/METADATA", "Name: left\nVersion: 1\n\n"),
    ];
    let files = below(SITE, &rows);
    let mut files = by_text(&files);
    // No tool marks those of the distribution.
    let other = format!("{OTHER_SITE}/other-1.dist-info/METADATA");
    files.push((&other, "Name: other\nVersion: 1\n\n"));
    let document = run(python("import os\n", &files)).document;
    let packages = document["packages"].as_array().unwrap();
    let reason = |name: &str| {
        packages.iter().find(|package| package["name"] == name).unwrap()["reason"].as_str().unwrap()
    };
    let found = ["app", "lib", "extra-one", "left", "other"].map(reason);
    assert_eq!(found, ["asked", "dependency", "recommended", "orphan", "asked"]);
}

#[test]
fn a_namespace_stands_in_several_places_and_gives_way_to_a_package() {
    let one = format!("{SITE}/ns/one.py");
    let two = format!("{OTHER_SITE}/ns/two.py");
    let files = [(one.as_str(), "x = 1"), (two.as_str(), "x = 1")];
    run(python("import ns.one\nimport ns.two\n", &files))
        .evidence(&[(&format!("/{one}"), "needed"), (&format!("/{two}"), "needed")]);
    let package = format!("{OTHER_SITE}/ns/__init__.py");
    run(python("import ns.two\n", &[&files[..], &[(&package, "x = 1")]].concat()))
        .evidence(&[(&format!("/{package}"), "needed"), (&format!("/{two}"), "needed")]);
}

#[test]
fn what_is_compiled_alone_is_found_and_lowers_the_confidence() {
    let rows = ["lib/__init__.pyc", "lib/part.pyc", "left/__init__.py", "single.pyc"];
    let files = rows.map(|name| format!("{SITE}/{name}"));
    let paths: Vec<&str> = files.iter().map(String::as_str).collect();
    let run = run(data(python("import lib.part\nimport single\n", &[]), &paths));
    run.evidence(&[
        (&format!("/{}", files[0]), "needed"),
        (&format!("/{}", files[1]), "needed"),
        (&format!("/{}", files[3]), "needed"),
    ]);
    let left = run.used(&format!("/{}", files[2]));
    assert_eq!((&left["evidence"], &left["confidence"]), (&"none".into(), &"low".into()));
}

#[test]
fn node_resolves_exports_imports_itself_and_its_path() {
    let files = [
        (
            "srv/app.js",
            "require('a'); require('a/feature'); require('#inner'); require('b');\
                        require('app/own'); import('c'); require('global-one')",
        ),
        (
            "srv/package.json",
            r##"{"name":"app","exports":{"./own":"./lib/own.js"},
            "imports":{"#inner":{"node":"./lib/inner.js","default":"./lib/never.js"}}}"##,
        ),
        ("srv/lib/own.js", "x = 1"),
        ("srv/lib/inner.js", "x = 1"),
        (
            "srv/node_modules/a/package.json",
            r#"{"name":"a","exports":{".":{"import":"./m.mjs",
            "require":"./c.cjs"},"./feature":"./feature.js","./x/*":"./x/*.js"}}"#,
        ),
        ("srv/node_modules/a/m.mjs", "x = 1"),
        ("srv/node_modules/a/c.cjs", "require('./deep')"),
        ("srv/node_modules/a/deep.js", "x = 1"),
        ("srv/node_modules/a/feature.js", "x = 1"),
        ("srv/node_modules/a/hidden.js", "x = 1"),
        ("srv/node_modules/b/package.json", r#"{"name":"b","main":"lib"}"#),
        ("srv/node_modules/b/lib/index.js", "x = 1"),
        ("srv/node_modules/c/package.json", r#"{"name":"c","module":"esm.js","main":"c.js"}"#),
        ("srv/node_modules/c/c.js", "x = 1"),
        ("srv/node_modules/d/index.js", "x = 1"),
        ("opt/modules/global-one/index.js", "x = 1"),
        ("opt/modules/global-two/index.js", "x = 1"),
    ];
    let layer = programs(layer(&files), &["usr/bin/node"]);
    let image = image(layer).env("NODE_PATH", "/opt/modules").cmd(&["node", "/srv/app.js"]);
    let run = Run::of(image);
    run.evidence(&[
        ("/srv/lib/own.js", "needed"),
        ("/srv/lib/inner.js", "needed"),
        ("/srv/node_modules/a/c.cjs", "needed"),
        ("/srv/node_modules/a/deep.js", "needed"),
        ("/srv/node_modules/a/feature.js", "needed"),
        ("/srv/node_modules/b/lib/index.js", "needed"),
        ("/srv/node_modules/c/c.js", "needed"),
        ("/opt/modules/global-one/index.js", "needed"),
        ("/opt/modules/global-two/index.js", "none"),
        ("/srv/node_modules/d/index.js", "none"),
    ]);
    assert_eq!(run.used("/srv/node_modules/a/hidden.js")["owner"], "a");
}

#[test]
fn perl_takes_modules_from_its_directories() {
    let script = "#!/usr/bin/perl\nuse lib '/srv/lib';\nuse Foo::Bar;\nuse parent 'Base';\n";
    let text = layer(&[
        ("usr/share/perl5/Foo/Bar.pm", "package Foo::Bar; require POSIX; 1;"),
        ("usr/share/perl5/Base.pm", "1;"),
        ("usr/share/perl5/Never.pm", "1; # never"),
        ("usr/lib/x86_64-linux-gnu/perl-base/POSIX.pm", "1;"),
        ("usr/lib/x86_64-linux-gnu/perl/5.36/strict.pm", "1;"),
        ("srv/lib/Own.pm", "1;"),
    ])
    .file_with("srv/run", script, Meta::mode(0o755));
    let xs = "usr/lib/x86_64-linux-gnu/perl-base/auto/POSIX/POSIX.so";
    let layer = programs(data(text, &[xs]), &["usr/bin/perl"]);
    let run = Run::of(image(layer).cmd(&["/srv/run"]));
    run.evidence(&[
        ("/usr/share/perl5/Foo/Bar.pm", "needed"),
        ("/usr/share/perl5/Base.pm", "named"),
        ("/usr/lib/x86_64-linux-gnu/perl-base/POSIX.pm", "needed"),
        (&format!("/{xs}"), "needed"),
        ("/usr/lib/x86_64-linux-gnu/perl/5.36/strict.pm", "named"),
        ("/srv/lib/Own.pm", "named"),
        ("/usr/share/perl5/Never.pm", "none"),
    ]);
    assert_eq!(run.document["unused"]["low"], 0, "{}", run.document["unused"]);
}

#[test]
fn perl_that_only_a_run_can_tell_lowers_the_confidence_of_perl_alone() {
    let text = layer(&[
        ("usr/share/perl5/Never.pm", "1; # never"),
        ("opt/left", "over"),
        ("srv/app.pl", "my $m = shift; require $m;"),
    ]);
    let run = Run::of(image(programs(text, &["usr/bin/perl"])).cmd(&["perl", "/srv/app.pl"]));
    let groups = run.document["unused"]["groups"].as_array().unwrap();
    let of = |directory: &str| groups.iter().find(|g| g["directory"] == directory).unwrap();
    let perl = of("/usr/share/perl5");
    assert_eq!(perl["confidence"], "low");
    let because = perl["because"].as_str().unwrap();
    assert!(
        because.ends_with("but Perl loads what only a run can tell (/srv/app.pl)"),
        "{because}"
    );
    assert_eq!(of("/opt")["confidence"], "medium");
    assert!(!of("/opt")["because"].as_str().unwrap().contains("but"));
}

#[test]
fn a_gem_that_is_required_is_kept_with_what_it_depends_on() {
    let specification = |name: &str, depends: &str| {
        format!("Gem::Specification.new do |s|\n  s.name = \"{name}\".freeze\n{depends}end\n")
    };
    let home = "usr/local/bundle";
    let needs = "  s.add_runtime_dependency(%q<nio>.freeze, [\"~> 2\"])\n";
    let text = [("puma-6.0", needs), ("nio-2.0", ""), ("never-1.0", "")].into_iter().fold(
        layer(&[
            ("usr/local/lib/ruby/3.3.0/json.rb", "require 'json/ext'\n"),
            ("usr/local/lib/ruby/3.3.0/json/ext.rb", "x = 1\n"),
            ("usr/local/lib/ruby/3.3.0/never.rb", "x = 1\n"),
            ("srv/app.rb", "require 'json'\nrequire 'puma'\nrequire_relative 'part'\n"),
            ("srv/part.rb", "x = 1\n"),
        ]),
        |layer, (full, depends)| {
            let name = full.split('-').next().unwrap();
            layer
                .file(format!("{home}/specifications/{full}.gemspec"), specification(name, depends))
                .file(format!("{home}/gems/{full}/lib/{name}.rb"), "x = 1\n")
                .file(format!("{home}/gems/{full}/lib/{name}/more.rb"), "x = 2\n")
        },
    );
    let native = format!("{home}/extensions/x86_64-linux/3.3.0/nio-2.0/nio_ext.so");
    let layer = programs(data(text, &[&native]), &["usr/local/bin/ruby"]);
    let run = Run::of(image(layer).cmd(&["ruby", "/srv/app.rb"]));
    run.evidence(&[
        ("/usr/local/lib/ruby/3.3.0/json/ext.rb", "needed"),
        ("/srv/part.rb", "needed"),
        (&format!("/{home}/gems/puma-6.0/lib/puma.rb"), "needed"),
        (&format!("/{home}/gems/puma-6.0/lib/puma/more.rb"), "named"),
        (&format!("/{home}/gems/nio-2.0/lib/nio/more.rb"), "named"),
        (&format!("/{native}"), "named"),
        (&format!("/{home}/gems/never-1.0/lib/never.rb"), "none"),
        ("/usr/local/lib/ruby/3.3.0/never.rb", "none"),
    ]);
    let lock = "GEM\n  specs:\n    never (1.0)\n";
    let locked = image(programs(
        LayerBuilder::new()
            .file("srv/Gemfile", "source 'x'\n")
            .file("srv/Gemfile.lock", lock)
            .file("srv/app.rb", "x = 1\n")
            .file(format!("{home}/specifications/never-1.0.gemspec"), specification("never", ""))
            .file(format!("{home}/gems/never-1.0/lib/never.rb"), "x = 1\n"),
        &["usr/local/bin/ruby"],
    ));
    Run::of(locked.cmd(&["ruby", "/srv/app.rb"]))
        .evidence(&[(&format!("/{home}/gems/never-1.0/lib/never.rb"), "named")]);
}

#[test]
fn php_loads_configured_extensions_and_keeps_its_application() {
    let extensions = "usr/local/lib/php/extensions/no-debug-non-zts-20220829";
    let map = "<?php return array('A\\\\' => array($vendorDir . '/a/used/src'));";
    let text = layer(&[
        ("usr/local/etc/php/conf.d/x.ini", "extension=intl\nzend_extension=opcache.so\n"),
        ("etc/nginx/conf.d/site.conf", "server { root /srv/site/public; }\n"),
        ("srv/site/composer.json", "{}"),
        ("srv/site/public/index.php", "<?php require __DIR__.'/../src/app.php';"),
        ("srv/site/src/app.php", "<?php include $x;"),
        ("srv/site/src/other.php", "<?php echo 1;"),
        ("srv/site/vendor/autoload.php", "<?php echo 2;"),
        ("srv/site/vendor/composer/autoload_psr4.php", map),
        ("srv/site/vendor/a/used/src/X.php", "<?php echo 3;"),
        ("srv/site/vendor/b/never/src/Y.php", "<?php echo 4;"),
    ]);
    let names: Vec<String> =
        ["intl.so", "opcache.so", "never.so"].iter().map(|n| format!("{extensions}/{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let layer = programs(data(text, &names), &["usr/local/sbin/php-fpm"]);
    let run = Run::of(image(layer).cmd(&["php-fpm"]));
    run.evidence(&[
        (&format!("/{}", names[0]), "named"),
        (&format!("/{}", names[1]), "named"),
        (&format!("/{}", names[2]), "none"),
        ("/srv/site/src/other.php", "package-mate"),
        ("/srv/site/vendor/a/used/src/X.php", "named"),
        ("/srv/site/vendor/b/never/src/Y.php", "none"),
    ]);
}

#[test]
fn java_keeps_its_runtime_and_its_class_path() {
    let home = "opt/jdk";
    let files = || {
        let layer = data(
            LayerBuilder::new().symlink("usr/bin/java", "/opt/jdk/bin/java"),
            &[
                "opt/jdk/release",
                "opt/jdk/lib/modules",
                "opt/jdk/lib/src.zip",
                "opt/jdk/conf/net.properties",
                "opt/jdk/jmods/java.base.jmod",
                "opt/jdk/include/jni.h",
                "app/main.jar",
                "app/lib/a.jar",
                "app/plain.txt",
                "ext/b.jar",
                "ext/c.txt",
                "opt/never.jar",
            ],
        );
        programs(layer, &["opt/jdk/bin/java", "opt/jdk/bin/javac"])
    };
    let run = Run::of(image(files()).cmd(&["java", "-Xmx1g", "-jar", "/app/main.jar"]));
    run.evidence(&[
        (&format!("/{home}/lib/modules"), "named"),
        (&format!("/{home}/conf/net.properties"), "named"),
        (&format!("/{home}/lib/src.zip"), "none"),
        (&format!("/{home}/jmods/java.base.jmod"), "none"),
        (&format!("/{home}/include/jni.h"), "none"),
        (&format!("/{home}/bin/javac"), "none"),
        ("/app/main.jar", "needed"),
        ("/app/lib/a.jar", "package-mate"),
        ("/opt/never.jar", "none"),
    ]);
    let options = layer_with_options(files());
    let run = Run::of(image(options).entrypoint(&["/opt/jdk/bin/java", "@/app/run.argfile"]));
    run.evidence(&[("/ext/b.jar", "needed"), ("/ext/c.txt", "none")]);
    let script = files().file_with(
        "srv/tool/bin/run",
        "#!/bin/sh\nexec \"$JAVACMD\" -cp \"$CLASSPATH\" Main\n",
        Meta::mode(0o755),
    );
    let script = data(programs(script, &["bin/sh"]), &["srv/tool/lib/x.jar"]);
    let run = Run::of(image(script).entrypoint(&["/srv/tool/bin/run"]));
    run.evidence(&[("/srv/tool/lib/x.jar", "package-mate")]);
}

fn layer_with_options(layer: LayerBuilder) -> LayerBuilder {
    layer.file("app/run.argfile", "-Dx=y\n-cp \"/ext/*\"\nMain\n")
}
