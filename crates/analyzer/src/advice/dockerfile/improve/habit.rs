//! What package managers and compilers leave behind unless they are told otherwise.

use super::change::{Change, edit};
use super::{Build, Improvement, Kind, Step};
use crate::advice::dockerfile::command::{Command, Word, verb};
use crate::advice::dockerfile::run::Script;
use crate::facts::evidence::Confidence;

/// What a program does by habit, and how it is told otherwise.
struct Habit {
    kind: Kind,
    confidence: Confidence,
    programs: &'static [&'static str],
    verbs: &'static [&'static str],
    /// What else says so: flags, the variables that stand for them.
    flags: &'static [&'static str],
    variables: &'static [&'static str],
    /// Where it keeps what it leaves, so that a mount over one of these keeps it out.
    held: &'static [&'static str],
    /// What stands in the path of an `rm` that deletes it.
    deleted: &'static [&'static str],
    /// The verbs by which the program itself deletes it.
    cleaned: &'static [&'static str],
    fix: Fix,
    /// The caches to mount instead, where BuildKit builds.
    mounts: &'static [&'static str],
    what: &'static str,
}

enum Fix {
    /// A flag behind the verb.
    Flag(&'static str),
    /// A command at the end; `{}` stands for the program.
    Command(&'static str),
    /// Only a mount helps.
    Mount,
}

const NOTHING: Habit = Habit {
    kind: Kind::PackageCache,
    confidence: Confidence::High,
    programs: &[],
    verbs: &[],
    flags: &[],
    variables: &[],
    held: &[],
    deleted: &[],
    cleaned: &[],
    fix: Fix::Mount,
    mounts: &[],
    what: "",
};

const DNF: [&str; 10] = [
    "install",
    "update",
    "upgrade",
    "reinstall",
    "groupinstall",
    "localinstall",
    "module",
    "builddep",
    "swap",
    "distro-sync",
];

const HABITS: [Habit; 14] = [
    Habit {
        kind: Kind::Recommends,
        confidence: Confidence::Medium,
        programs: &["apt-get", "apt"],
        verbs: &["install"],
        flags: &["--no-install-recommends"],
        fix: Fix::Flag("--no-install-recommends"),
        what: "install without recommended packages (--no-install-recommends), and name those that are needed",
        ..NOTHING
    },
    Habit {
        programs: &["apt-get", "apt", "aptitude"],
        verbs: &["update"],
        held: &["/var/lib/apt/lists"],
        deleted: &["/var/lib/apt", "/var/lib/*"],
        fix: Fix::Command("rm -rf /var/lib/apt/lists/*"),
        mounts: &["target=/var/cache/apt,sharing=locked", "target=/var/lib/apt,sharing=locked"],
        what: "delete apt's lists in the RUN that fetches them, or keep them in a cache mount",
        ..NOTHING
    },
    Habit {
        programs: &["pip"],
        verbs: &["install"],
        flags: &["--no-cache-dir"],
        variables: &["PIP_NO_CACHE_DIR"],
        held: &["/root/.cache/pip"],
        deleted: &[".cache"],
        cleaned: &["cache"],
        fix: Fix::Flag("--no-cache-dir"),
        mounts: &["target=/root/.cache/pip"],
        what: "keep pip's cache out of the layer (--no-cache-dir, or a cache mount)",
        ..NOTHING
    },
    Habit {
        programs: &["apk"],
        verbs: &["add"],
        flags: &["--no-cache"],
        held: &["/var/cache/apk", "/etc/apk/cache"],
        deleted: &["/var/cache/apk", "/var/cache/*"],
        fix: Fix::Flag("--no-cache"),
        what: "keep apk's index out of the layer (--no-cache)",
        ..NOTHING
    },
    Habit {
        programs: &["dnf", "microdnf", "tdnf"],
        verbs: &DNF,
        held: &["/var/cache/dnf", "/var/cache/yum", "/var/cache/libdnf5"],
        deleted: &["/var/cache"],
        cleaned: &["clean"],
        fix: Fix::Command("{} clean all"),
        mounts: &["target=/var/cache/dnf,sharing=locked"],
        what: "delete dnf's cache in the RUN that fills it, or keep it in a cache mount",
        ..NOTHING
    },
    Habit {
        programs: &["yum"],
        verbs: &DNF,
        held: &["/var/cache/yum", "/var/cache/dnf"],
        deleted: &["/var/cache"],
        cleaned: &["clean"],
        fix: Fix::Command("yum clean all && rm -rf /var/cache/yum"),
        what: "delete yum's cache in the RUN that fills it",
        ..NOTHING
    },
    Habit {
        programs: &["zypper"],
        verbs: &["install", "in", "update", "up", "refresh", "ref", "dup"],
        held: &["/var/cache/zypp"],
        deleted: &["/var/cache"],
        cleaned: &["clean", "cc"],
        fix: Fix::Command("zypper clean --all"),
        what: "delete zypper's cache in the RUN that fills it",
        ..NOTHING
    },
    Habit {
        programs: &["npm"],
        verbs: &["ci", "install", "i", "add", "clean-install"],
        held: &["/root/.npm"],
        deleted: &[".npm"],
        cleaned: &["cache"],
        fix: Fix::Command("npm cache clean --force"),
        mounts: &["target=/root/.npm"],
        what: "keep npm's cache out of the layer (npm cache clean --force, or a cache mount)",
        ..NOTHING
    },
    Habit {
        programs: &["yarn"],
        verbs: &["install", "add"],
        held: &["/usr/local/share/.cache/yarn", "/root/.yarn", "/root/.cache/yarn"],
        deleted: &[".cache", ".yarn/"],
        cleaned: &["cache"],
        fix: Fix::Command("yarn cache clean"),
        mounts: &["target=/usr/local/share/.cache/yarn"],
        what: "keep yarn's cache out of the layer (yarn cache clean, or a cache mount)",
        ..NOTHING
    },
    Habit {
        programs: &["conda", "mamba", "micromamba"],
        verbs: &["install", "create", "update", "env"],
        held: &["/opt/conda/pkgs"],
        deleted: &["/pkgs"],
        cleaned: &["clean"],
        fix: Fix::Command("{} clean -afy"),
        what: "delete the packages that conda keeps beside those installed",
        ..NOTHING
    },
    Habit {
        kind: Kind::Documentation,
        programs: &["gem"],
        verbs: &["install"],
        flags: &["--no-document", "-N", "--no-doc", "--no-rdoc", "--no-ri"],
        fix: Fix::Flag("--no-document"),
        what: "install gems without their documentation (--no-document)",
        ..NOTHING
    },
    Habit {
        kind: Kind::DevelopmentPackages,
        confidence: Confidence::Low,
        programs: &["composer", "composer.phar"],
        verbs: &["install"],
        flags: &["--no-dev"],
        variables: &["COMPOSER_NO_DEV"],
        fix: Fix::Flag("--no-dev"),
        what: "install without the packages of require-dev (--no-dev)",
        ..NOTHING
    },
    Habit {
        kind: Kind::BuildCache,
        programs: &["go"],
        verbs: &["build", "install", "test"],
        held: &["/root/.cache/go-build"],
        mounts: &["target=/go/pkg/mod", "target=/root/.cache/go-build"],
        what: "keep Go's modules and build cache in cache mounts",
        ..NOTHING
    },
    Habit {
        kind: Kind::BuildCache,
        programs: &["cargo"],
        verbs: &["build", "install", "fetch"],
        held: &["/usr/local/cargo/registry"],
        mounts: &["target=/usr/local/cargo/registry"],
        what: "keep cargo's registry in a cache mount",
        ..NOTHING
    },
];

/// apt's option that brings recommended packages.
pub(super) const RECOMMENDS: &str = "Install-Recommends";

/// Looks at one step.
pub(super) fn find(build: &Build<'_>, at: usize, found: &mut Vec<Improvement>) {
    let step = &build.steps[at];
    let Some(script) = &step.script else { return };
    for habit in &HABITS {
        let has = |command| Some((command, habit.end(build, at, command)?));
        let left: Vec<(&Command, usize)> = script.commands.iter().filter_map(has).collect();
        let Some((last, _)) = left.last() else { continue };
        let can_mount = habit.can_mount(build, step, script);
        let is_fixable = can_mount || !matches!(habit.fix, Fix::Mount);
        if is_fixable && !habit.is_kept_out(build, at, script) {
            let mut improvement = build.improvement(at, habit.kind, habit.confidence, habit.what);
            let changes = if can_mount {
                Some(vec![build.mount(step, script, habit.mounts)])
            } else {
                match habit.fix {
                    Fix::Flag(flag) => {
                        let insert = |(_, end): &(&Command, usize)| {
                            Change::insert(script.behind(*end), format!(" {flag}"))
                        };
                        Some(left.iter().map(insert).collect())
                    }
                    Fix::Command(command) => {
                        let command = command.replace("{}", last.name());
                        let change = build.append(step, script, last, &command);
                        change.filter(|_| !is_needed(build, at, habit)).map(|change| vec![change])
                    }
                    Fix::Mount => None,
                }
            };
            improvement.edit = changes.and_then(|changes| edit(build.file.text(), changes));
            found.push(improvement);
        }
    }
}

impl Habit {
    /// Where the verb of a command ends that has the habit and is not told otherwise.
    fn end(&self, build: &Build<'_>, at: usize, command: &Command) -> Option<usize> {
        let arguments = named(command, self.programs)?;
        let end = match verb(arguments, self.verbs) {
            Some(verb) => arguments[verb].end,
            // `yarn` alone installs.
            None if self.programs == ["yarn"] && arguments.is_empty() => command.end,
            None => return None,
        };
        let is_told = arguments.iter().any(|word| self.flags.contains(&word.text.as_str()))
            || command.assignments.iter().any(|text| self.is_set_by(text));
        let is_off = self.kind == Kind::Recommends && recommends_are_off(build, at, command);
        (!is_told && !is_off).then_some(end)
    }

    /// Whether a whole RUN is told otherwise, or leaves nothing behind.
    fn is_kept_out(&self, build: &Build<'_>, at: usize, script: &Script<'_>) -> bool {
        let exports = |command: &Command| {
            command.name() == "export"
                && command.arguments().iter().any(|word| self.is_set_by(&word.text))
        };
        let cleans = |command: &Command| {
            named(command, self.programs)
                .is_some_and(|arguments| verb(arguments, self.cleaned).is_some())
        };
        self.held.iter().any(|path| script.mounts(path))
            || self.deleted.iter().any(|part| script.deletes(part))
            || self.variables.iter().any(|name| build.sets(at, name))
            || script.any(exports)
            || script.any(cleans)
    }

    /// Whether `NAME=value` sets one of its variables.
    fn is_set_by(&self, text: &str) -> bool {
        text.split_once('=').is_some_and(|(name, _)| self.variables.contains(&name))
    }

    fn can_mount(&self, build: &Build<'_>, step: &Step<'_>, script: &Script<'_>) -> bool {
        let is_reached = |mount: &&str| step.is_root || !mount.contains("=/root/");
        build.mounts
            && !self.mounts.is_empty()
            && self.mounts.iter().all(is_reached)
            // Two mounts over one path are refused.
            && !self.mounts.iter().any(|mount| {
                let path = mount.trim_start_matches("target=").split(',').next();
                path.is_some_and(|path| script.mounts(path))
            })
    }
}

/// The arguments of a command of one of the programs: `pip3.12 …`, `python -m pip …`.
fn named<'a>(command: &'a Command, programs: &[&str]) -> Option<&'a [Word]> {
    let is_one = |name: &str| {
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        programs.contains(&name) || (plain == "pip" && programs.contains(&plain))
    };
    let arguments = command.arguments();
    if is_one(command.name()) {
        return Some(arguments);
    }
    match arguments {
        [flag, module, rest @ ..] if command.name().starts_with("python") && flag.text == "-m" => {
            is_one(&module.text).then_some(rest)
        }
        _ => None,
    }
}

/// Whether apt is configured so, by a flag or by what this step or an earlier one writes.
fn recommends_are_off(build: &Build<'_>, at: usize, command: &Command) -> bool {
    build.recommends_off.is_some_and(|step| step <= at)
        || command.arguments().iter().any(|word| word.text.contains(RECOMMENDS))
}

/// Whether a later RUN installs from the lists that this one fetches.
fn is_needed(build: &Build<'_>, at: usize, habit: &Habit) -> bool {
    if !habit.verbs.contains(&"update") || !habit.programs.contains(&"apt-get") {
        return false;
    }
    let is_apt = |command: &Command, verb: &str| {
        named(command, habit.programs).is_some() && command.verb(&[verb]).is_some()
    };
    let scripts = build.later(at).filter_map(|step| step.script.as_ref());
    scripts
        .take_while(|script| !script.any(|command| is_apt(command, "update")))
        .any(|script| script.any(|command| is_apt(command, "install")))
}
