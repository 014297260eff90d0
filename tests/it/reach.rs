//! What the image runs through supervisors, cron, PAM and interpreters, file by file.

use jettison_testkit::image::{ImageBuilder, ImageFiles, LayerBuilder, Meta, Wrap};
use serde_json::Value;

use crate::jettison::User;
use crate::shop::content;

/// A layer of files with texts of their own.
pub(crate) fn layer(files: &[(&str, &str)]) -> LayerBuilder {
    files.iter().fold(LayerBuilder::new(), |layer, (path, text)| {
        layer.file_with(path, *text, Meta::mode(0o644))
    })
}

/// The same with files that may be executed, and hold nothing that is looked into.
pub(crate) fn programs(layer: LayerBuilder, paths: &[&str]) -> LayerBuilder {
    paths
        .iter()
        .fold(layer, |layer, path| layer.file_with(path, content(path, 300), Meta::mode(0o755)))
}

/// Files that say nothing.
pub(crate) fn data(layer: LayerBuilder, paths: &[&str]) -> LayerBuilder {
    paths.iter().fold(layer, |layer, path| layer.file(path, content(path, 300)))
}

pub(crate) fn image(layer: LayerBuilder) -> ImageBuilder {
    ImageBuilder::new().layer(layer, "COPY . / # buildkit").tag("x:1")
}

pub(crate) struct Run {
    user: User,
    pub(crate) document: Value,
}

impl Run {
    pub(crate) fn of(image: ImageBuilder) -> Self {
        let user = User::new();
        ImageFiles::docker_archive(&[image.build()])
            .write_archive(&user.path("x.tar"), Wrap::None)
            .unwrap();
        let document = user.analyze_with("docker-archive:x.tar", &["--unused"]);
        Self { user, document }
    }

    pub(crate) fn used(&self, path: &str) -> Value {
        let arguments = ["why", "--format", "json", "docker-archive:x.tar", path];
        self.user.run(&arguments).json()
    }

    pub(crate) fn warnings(&self) -> String {
        self.user.run(&["analyze", "--unused", "docker-archive:x.tar"]).stderr
    }

    #[track_caller]
    pub(crate) fn evidence(&self, rows: &[(&str, &str)]) {
        for (path, evidence) in rows {
            let used = self.used(path);
            assert_eq!(used["evidence"], *evidence, "{path}: {used}");
        }
    }

    #[track_caller]
    pub(crate) fn how(&self, path: &str, expected: &[&str]) {
        let used = self.used(path);
        let chain = used["chain"].as_array().unwrap().iter();
        let found: Vec<String> = chain
            .map(|l| format!("{} {}", l["path"].as_str().unwrap(), l["how"].as_str().unwrap()))
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn supervisors_lead_to_what_they_start_where_they_run() {
    let files = || {
        let configuration = "[supervisord]\nnodaemon=true\n[include]\nfiles = conf.d/*.conf\n";
        let text = layer(&[
            ("etc/supervisor/supervisord.conf", configuration),
            ("etc/supervisor/conf.d/web.conf", "[program:web]\ncommand=/opt/web --now\n"),
            ("etc/supervisor/conf.d/web.off", "[program:web]\ncommand=/opt/off\n"),
        ]);
        programs(text, &["usr/bin/supervisord", "usr/bin/other", "opt/web", "opt/off"])
    };
    let run = Run::of(image(files()).cmd(&["supervisord", "-n"]));
    run.evidence(&[("/opt/web", "named"), ("/opt/off", "none")]);
    run.how(
        "/opt/web",
        &[
            "/opt/web named in",
            "/etc/supervisor/conf.d/web.conf included by",
            "/etc/supervisor/supervisord.conf configuration of",
            "/usr/bin/supervisord CMD",
        ],
    );
    Run::of(image(files()).cmd(&["other"])).evidence(&[("/opt/web", "none")]);
}

#[test]
fn wrappers_lead_to_what_they_start() {
    let paths = ["usr/bin/env", "usr/bin/wrap", "usr/bin/interpreter", "usr/bin/other", "bin/sh"];
    for command in [
        &["env", "-S", "interpreter /srv/app.x"][..],
        &["env", "-Sinterpreter /srv/app.x"],
        &["/usr/bin/env", "-i", "--split-string=A=b interpreter", "/srv/app.x"],
        &["env", "A=b", "interpreter", "/srv/app.x"],
        &["env", "-S", "wrap interpreter", "/srv/app.x"],
    ] {
        let layer = programs(data(LayerBuilder::new(), &["srv/app.x"]), &paths);
        Run::of(image(layer).entrypoint(command)).evidence(&[
            (
                "/usr/bin/interpreter",
                if command.contains(&"wrap interpreter") { "named" } else { "needed" },
            ),
            ("/srv/app.x", "needed"),
            ("/usr/bin/other", "none"),
        ]);
    }
    for wrapper in [
        &["gosu", "app"][..],
        &["su-exec", "app:app"],
        &["dumb-init", "--"],
        &["tini", "-g", "--"],
        &["setpriv", "--reuid", "1000"],
        &["nice", "-n", "5"],
    ] {
        let path = format!("usr/bin/{}", wrapper[0]);
        let layer = programs(LayerBuilder::new(), &[&path, "usr/bin/interpreter", "usr/bin/other"]);
        let command = [wrapper, &["interpreter"]].concat();
        Run::of(image(layer).cmd(&command)).evidence(&[
            (&format!("/{path}"), "needed"),
            ("/usr/bin/interpreter", "needed"),
            ("/usr/bin/other", "none"),
        ]);
    }
}

#[test]
fn a_health_check_runs_by_itself_or_through_the_shell() {
    let files = || {
        programs(
            LayerBuilder::new(),
            &["bin/sh", "bin/bash", "usr/bin/app", "usr/bin/probe", "usr/bin/x"],
        )
    };
    let image = || image(files()).cmd(&["app"]);
    let exec = Run::of(image().healthcheck(&["CMD", "probe", "--now"]));
    exec.evidence(&[("/usr/bin/probe", "needed"), ("/bin/sh", "none"), ("/usr/bin/x", "none")]);
    exec.how("/usr/bin/probe", &["/usr/bin/probe HEALTHCHECK"]);
    let shell = Run::of(image().healthcheck(&["CMD-SHELL", "probe || exit 1"]));
    shell.evidence(&[("/usr/bin/probe", "named"), ("/bin/sh", "needed"), ("/bin/bash", "none")]);
    // SHELL is the one of its commands, too.
    let own = image().shell(&["/bin/bash", "-o", "pipefail", "-c"]);
    let own = Run::of(own.healthcheck(&["CMD-SHELL", "probe | x"]));
    own.evidence(&[("/usr/bin/probe", "named"), ("/bin/sh", "none"), ("/bin/bash", "needed")]);
}

#[test]
fn service_directories_lead_to_their_scripts() {
    let text = layer(&[
        ("etc/services.d/web/run", "#!/command/with-contenv sh\nexec /opt/web\n"),
        ("etc/s6-overlay/s6-rc.d/job/up", "/opt/job --once\n"),
        ("etc/cont-init.d/10-x", "#!/bin/sh\n/opt/prepare\n"),
        ("etc/sv/other/run", "#!/bin/sh\nexec /opt/other\n"),
    ]);
    let files = ["bin/sh", "init", "command/with-contenv", "opt/web", "opt/job", "opt/prepare"];
    let layer = programs(text, &files);
    let run = Run::of(image(programs(layer, &["opt/other"])).entrypoint(&["/init"]));
    run.evidence(&[
        ("/opt/web", "named"),
        ("/opt/job", "named"),
        ("/opt/prepare", "named"),
        ("/command/with-contenv", "named"),
        ("/opt/other", "none"),
    ]);
    let text = layer_of_runit();
    let run = Run::of(image(text).cmd(&["runsvdir", "-P", "/etc/service"]));
    run.evidence(&[("/opt/linked", "named"), ("/opt/never", "none")]);
}

fn layer_of_runit() -> LayerBuilder {
    let text = layer(&[("etc/sv/linked/run", "#!/bin/sh\nexec /opt/linked\n")])
        .symlink("etc/service/linked", "/etc/sv/linked");
    programs(text, &["usr/bin/runsvdir", "bin/sh", "opt/linked", "opt/never"])
}

#[test]
fn cron_leads_to_its_tables_where_it_runs() {
    let files = || {
        let text = layer(&[
            (
                "etc/crontab",
                "SHELL=/bin/sh\n1 * * * * root /opt/first && run-parts /etc/cron.daily\n",
            ),
            ("etc/cron.d/x", "@daily app php /srv/job.php\n"),
            ("etc/cron.daily/y", "#!/bin/sh\n/opt/daily\n"),
            ("var/spool/cron/crontabs/root", "*/5 * * * * /opt/own\n"),
            ("srv/job.php", "<?php require 'lib.php';"),
            ("srv/lib.php", "<?php echo 1;"),
        ]);
        let names = ["usr/sbin/cron", "bin/sh", "usr/bin/php", "opt/first", "opt/daily", "opt/own"];
        programs(text, &names)
    };
    let run = Run::of(image(files()).cmd(&["cron", "-f"]));
    run.evidence(&[
        ("/opt/first", "named"),
        ("/opt/daily", "named"),
        ("/opt/own", "named"),
        ("/srv/job.php", "named"),
        ("/srv/lib.php", "named"),
    ]);
    let busybox = programs(files(), &["bin/busybox"]);
    Run::of(image(busybox).cmd(&["busybox", "crond", "-f"])).evidence(&[("/opt/own", "named")]);
    Run::of(image(files()).cmd(&["/opt/first"])).evidence(&[("/opt/own", "none")]);
}

#[test]
fn an_init_leads_to_units_and_inittab() {
    let text = layer(&[
        ("lib/systemd/system/web.service", "[Service]\nExecStart=-/opt/web run\n"),
        ("etc/inittab", "::respawn:/opt/tab\n"),
    ])
    .symlink("sbin/init", "/lib/systemd/systemd");
    let layer = programs(text, &["lib/systemd/systemd", "opt/web", "opt/tab", "opt/never"]);
    let run = Run::of(image(layer).cmd(&["/sbin/init"]));
    run.evidence(&[("/opt/web", "named"), ("/opt/tab", "named"), ("/opt/never", "none")]);
}

#[test]
fn scripts_are_followed_as_far_as_literals_go() {
    let script = "#!/bin/sh\n. /etc/default/app\nLIB=/usr/lib/app\nsource \"$LIB/more/a.sh\"\n\
                  . \"$(dirname \"$0\")/beside.sh\"\n. $APP_HOME/lib/home.sh\n\
                  for f in /docker-entrypoint.d/*; do . \"$f\"; done\nexec \"$@\"\n";
    let text = layer(&[
        ("etc/default/app", "TOOL=/opt/tool\n"),
        ("usr/lib/app/more/a.sh", "/opt/a\n"),
        ("srv/bin/beside.sh", "/opt/b\n"),
        ("srv/lib/home.sh", "/opt/c\n"),
        ("docker-entrypoint.d/10-x.sh", "/opt/d\n"),
        ("srv/app.pl", "print 1;\n"),
    ])
    .file_with("srv/bin/entry", script, Meta::mode(0o755));
    let names =
        ["bin/sh", "opt/a", "opt/b", "opt/c", "opt/d", "opt/tool", "usr/bin/perl", "opt/never"];
    let layer = programs(text, &names);
    let run = Run::of(
        image(layer)
            .env("APP_HOME", "/srv")
            .entrypoint(&["/srv/bin/entry"])
            .cmd(&["perl", "/srv/app.pl"]),
    );
    run.evidence(&[
        ("/opt/tool", "named"),
        ("/opt/a", "named"),
        ("/opt/b", "named"),
        ("/opt/c", "named"),
        ("/opt/d", "named"),
        ("/usr/bin/perl", "needed"),
        ("/srv/app.pl", "needed"),
        ("/opt/never", "none"),
    ]);
    run.how("/usr/bin/perl", &["/usr/bin/perl CMD"]);
}

#[test]
fn a_command_is_one_of_its_own_only_behind_a_script() {
    let files = |entry: &str| {
        let text = layer(&[("app/tool/__main__.py", "import part\n"), ("app/part.py", "x = 1\n")])
            .file_with("entry", entry, Meta::mode(0o755))
            .file("usr/lib/python9.9/os.py", "x = 1\n");
        programs(text, &["bin/sh", "usr/bin/python9.9"])
    };
    let run = |entry: &str| {
        Run::of(image(files(entry)).workdir("/app").entrypoint(&["/entry"]).cmd(&[
            "python9.9",
            "-m",
            "tool",
        ]))
    };
    run("#!/bin/sh\nexec \"$@\"\n").evidence(&[("/app/part.py", "needed")]);
    let other = run("\x7fno script");
    other.evidence(&[("/app/part.py", "none"), ("/usr/bin/python9.9", "named")]);
}

#[test]
fn pam_keeps_the_modules_that_services_name() {
    let modules = "usr/lib/x86_64-linux-gnu/security";
    let names = ["pam_unix.so", "pam_cap.so", "pam_deny.so", "pam_ftp.so"];
    let files = || {
        let layer = names.iter().fold(LayerBuilder::new(), |layer, name| {
            layer.file(format!("{modules}/{name}"), content(name, 300))
        });
        let layer = data(layer, &["usr/lib/x86_64-linux-gnu/libpam.so.0"]);
        programs(layer, &["usr/sbin/sshd"])
    };
    let at = |name: &str| format!("/{modules}/{name}");
    // An argument stands for the loader: nothing here is an ELF file.
    let command = ["/usr/sbin/sshd", "/usr/lib/x86_64-linux-gnu/libpam.so.0"];
    let with = files()
        .file("etc/pam.d/sshd", "@include common-auth\nsession optional pam_cap.so\n")
        .file("etc/pam.d/common-auth", "auth [success=1 default=ignore] pam_unix.so nullok\n");
    Run::of(image(with).cmd(&command)).evidence(&[
        (&at("pam_unix.so"), "named"),
        (&at("pam_cap.so"), "named"),
        (&at("pam_deny.so"), "named"),
        (&at("pam_ftp.so"), "none"),
    ]);
    Run::of(image(files()).cmd(&command)).evidence(&[(&at("pam_ftp.so"), "named")]);
}

#[test]
fn npm_runs_the_scripts_of_its_package() {
    let manifest = r#"{"name":"x","scripts":{"start":"node src/main.js","test":"node t.js"}}"#;
    let text = layer(&[
        ("app/package.json", manifest),
        ("app/src/main.js", "require('./part')\n"),
        ("app/src/part.js", "1\n"),
        ("app/t.js", "2 // test\n"),
    ]);
    let layer = programs(text, &["usr/bin/node", "usr/bin/npm"]);
    let run = Run::of(image(layer).workdir("/app").cmd(&["npm", "start"]));
    run.evidence(&[("/app/src/part.js", "needed"), ("/app/t.js", "package-mate")]);
    // A script that runs itself ends.
    let manifest = r#"{"name":"x","scripts":{"start":"npm start"}}"#;
    let text = layer_of(manifest);
    Run::of(image(text).workdir("/app").cmd(&["npm", "start"]));
}

fn layer_of(manifest: &str) -> LayerBuilder {
    programs(layer(&[("app/package.json", manifest)]), &["usr/bin/npm"])
}

#[test]
fn only_scripts_that_run_miss_their_interpreter() {
    let text = layer(&[
        ("app/module.py", "#!/usr/local/bin/gone\nx = 1\n"),
        ("usr/lib/python9.9/os.py", "x = 1\n"),
    ])
    .file_with("app/main.py", "#!/usr/bin/python9.9\nimport module\n", Meta::mode(0o755));
    let run = Run::of(image(programs(text, &["usr/bin/python9.9"])).cmd(&["/app/main.py"]));
    let warnings = run.warnings();
    assert!(!warnings.contains("gone"), "{warnings}");
    let text = LayerBuilder::new().file_with("run", "#!/gone/sh\nls\n", Meta::mode(0o755));
    let run = Run::of(image(text).cmd(&["/run"]));
    let warnings = run.warnings();
    assert!(warnings.contains("/run: its interpreter /gone/sh is not in the image"), "{warnings}");
}
