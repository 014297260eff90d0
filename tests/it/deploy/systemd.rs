//! The units of systemd and the lines of cron.

use std::collections::BTreeMap;

use super::command_line::{assert_known, assert_runs, of_page, words};
use super::{file, path};

const DIRECTORY: &str = "examples/systemd";
const PROGRAM: &str = "/usr/local/bin/jettison";

/// A unit: the values of each section's keys.
type Unit = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// Reads a unit as systemd does: comments, lines that go on behind a backslash, keys given again.
fn unit(name: &str) -> Unit {
    let text = file(&format!("{DIRECTORY}/{name}")).replace("\\\n", " ");
    let mut unit = Unit::new();
    let mut section = None;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let known = ["Unit", "Service", "Timer", "Install"];
            assert!(known.contains(&title), "{name}: [{title}]");
            assert!(!unit.contains_key(title), "{name}: [{title}] twice");
            section = Some(title.to_owned());
            unit.entry(title.to_owned()).or_default();
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{name}: {line}"));
        let is_key = key.starts_with(|c: char| c.is_ascii_uppercase())
            && key.chars().all(|c| c.is_ascii_alphanumeric());
        assert!(is_key, "{name}: {key}");
        let keys = unit.get_mut(section.as_ref().unwrap()).unwrap();
        keys.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    assert!(unit["Unit"].contains_key("Description"), "{name}");
    unit
}

fn value<'a>(unit: &'a Unit, section: &str, key: &str) -> &'a str {
    match unit[section].get(key).map(Vec::as_slice) {
        Some([value]) => value,
        other => panic!("[{section}] {key}: {other:?}"),
    }
}

const SERVICES: [&str; 3] =
    ["jettison-observe.service", "jettison-prune.service", "jettison-watch.service"];

#[test]
fn services_run_command_lines_that_there_are() {
    for name in SERVICES {
        let unit = unit(name);
        let mut words = words(value(&unit, "Service", "ExecStart"));
        assert_eq!(words.remove(0), PROGRAM, "{name}");
        assert_runs(&words);
        let is_watch = words.contains(&"--watch".to_owned());
        let kind = if is_watch { "exec" } else { "oneshot" };
        assert_eq!(value(&unit, "Service", "Type"), kind, "{name}");
        // A service that nobody starts does nothing: a timer does, or the machine's start.
        assert_eq!(unit.contains_key("Install"), is_watch, "{name}");
    }
}

#[test]
fn services_have_nothing_that_they_do_not_need() {
    for name in SERVICES {
        let unit = unit(name);
        for (key, expected) in [
            ("CapabilityBoundingSet", ""),
            ("NoNewPrivileges", "yes"),
            ("ProtectSystem", "strict"),
            ("ProtectHome", "yes"),
            ("PrivateTmp", "yes"),
            ("PrivateDevices", "yes"),
            ("StateDirectory", "jettison"),
            ("MemoryDenyWriteExecute", "yes"),
            ("RestrictNamespaces", "yes"),
            ("SystemCallFilter", "@system-service"),
        ] {
            assert_eq!(value(&unit, "Service", key), expected, "{name} {key}");
        }
        // The boot's ID is in /proc/sys.
        assert!(!unit["Service"].contains_key("ProcSubset"), "{name}");
        let families = value(&unit, "Service", "RestrictAddressFamilies");
        if name == "jettison-watch.service" {
            assert_eq!(families, "AF_UNIX AF_INET AF_INET6");
            assert_eq!(value(&unit, "Service", "IPAddressAllow"), "localhost");
            assert_eq!(value(&unit, "Service", "IPAddressDeny"), "any");
        } else {
            assert_eq!(families, "AF_UNIX");
            assert_eq!(value(&unit, "Service", "PrivateNetwork"), "yes");
        }
    }
}

#[test]
fn timers_start_services_that_there_are() {
    for name in ["jettison-observe.timer", "jettison-prune.timer"] {
        let unit = unit(name);
        assert_eq!(value(&unit, "Install", "WantedBy"), "timers.target");
        let timer = &unit["Timer"];
        let is_due = timer.contains_key("OnCalendar") || timer.contains_key("OnUnitActiveSec");
        assert!(is_due, "{name}");
        let service = name.replace(".timer", ".service");
        assert!(path(&format!("{DIRECTORY}/{service}")).is_file(), "{service}");
        let watch = self::unit("jettison-watch.service");
        assert!(value(&watch, "Unit", "Conflicts").contains(name));
    }
}

#[test]
fn lines_of_cron_are_command_lines() {
    let page = file(&format!("{DIRECTORY}/README.md"));
    let is_cron = |line: &&str| line.starts_with(|c: char| c == '*' || c.is_ascii_digit());
    let lines: Vec<&str> = page.lines().filter(is_cron).collect();
    assert_eq!(lines.len(), 2);
    for line in lines {
        let words = words(line);
        assert!(
            words[..5]
                .iter()
                .all(|field| { field.chars().all(|c| c.is_ascii_digit() || "*/,-".contains(c)) })
        );
        assert_eq!(words[5..8], ["root", PROGRAM, "prune"]);
        assert_runs(&words[7..]);
    }
    for arguments in of_page(&format!("{DIRECTORY}/README.md")) {
        assert_known(&arguments);
    }
}
