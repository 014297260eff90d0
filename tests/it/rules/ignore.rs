//! `[[ignore]]` of `jettison.toml`: what it silences, and how its mistakes are told.

use jettison_testkit::image::ImageBuilder;
use serde_json::{Value, json};

use super::case::{findings, image, of_rule, sized, write};
use super::databases::Dpkg;
use crate::jettison::User;

/// Documentation of a package and of nobody, lists of apt, and a variable.
fn silent() -> ImageBuilder {
    let database = Dpkg::new().asked("tool", &[("usr/share/doc/tool/NEWS", 3000)]);
    let files = [
        ("usr/share/doc/left/NEWS", 2000),
        ("usr/share/doc/left/TODO", 1000),
        ("var/lib/apt/lists/Packages", 500),
        ("srv/doc/plain", 400),
    ];
    image(database.layer().append(sized(&files))).env("SAMPLE_TOKEN", "abcdef")
}

struct Room {
    user: User,
    word: String,
}

impl Room {
    fn new() -> Self {
        let user = User::new();
        let word = write(&user, "silent.tar", silent());
        Self { user, word }
    }

    fn settings(&self, text: &str) {
        fs_err::write(self.user.path("jettison.toml"), text).unwrap();
    }

    /// Bytes and places of a rule's findings with these settings, and what was silenced.
    fn told(&self, settings: &str) -> (Value, Value, Value) {
        self.settings(settings);
        let document = findings(&self.user, &self.word);
        let sum = |rule: &str| -> Value {
            let rows = of_rule(&document, rule);
            let bytes = rows.iter().map(|row| row["bytes"].as_u64().unwrap()).sum::<u64>();
            let places = rows.iter().map(|row| row["paths"].as_u64().unwrap()).sum::<u64>()
                + rows
                    .iter()
                    .map(|row| row["places"].as_array().unwrap().len() as u64)
                    .sum::<u64>();
            json!([bytes, places])
        };
        (sum("docs"), sum("apt-lists"), document["ignored"].clone())
    }
}

fn row(fields: &str) -> String {
    format!("[[ignore]]\nreason = \"it stays\"\n{fields}\n")
}

fn silenced(rule: &str, bytes: u64, paths: u64) -> Value {
    json!({ "rule": rule, "bytes": bytes, "paths": paths, "reason": "it stays" })
}

#[test]
fn what_a_row_names_is_silenced_and_nothing_else() {
    let room = Room::new();
    let all = (json!([6000, 3]), json!([500, 1]), json!([]));
    assert_eq!(room.told(""), all);
    let docs = |fields: &str, left: Value, bytes: u64, paths: u64| {
        let told = room.told(&row(fields));
        let expected = (left, json!([500, 1]), json!([silenced("docs", bytes, paths)]));
        assert_eq!(told, expected, "{fields}");
    };
    docs("rule = \"docs\"", json!([0, 0]), 6000, 3);
    docs("path = \"/usr/share/doc/left/*\"", json!([3000, 1]), 3000, 2);
    docs("path = \"**/left/NEWS\"", json!([4000, 2]), 2000, 1);
    docs("package = \"tool\"", json!([3000, 2]), 3000, 1);
    let all_three = "rule = \"docs\"\npackage = \"tool\"\npath = \"/usr/share/doc/**\"";
    docs(all_three, json!([3000, 2]), 3000, 1);
    // All that a row names has to fit.
    for fields in [
        "rule = \"man\"",
        "rule = \"docs\"\npackage = \"another\"",
        "rule = \"docs\"\npath = \"/usr/share/doc\"",
        "rule = \"apt-lists\"\npackage = \"tool\"",
    ] {
        assert_eq!(room.told(&row(fields)), all, "{fields}");
    }
}

#[test]
fn rows_are_told_once_each() {
    let room = Room::new();
    let two =
        row("path = \"/usr/share/doc/left/*\"") + &row("rule = \"docs\"") + &row("rule = \"docs\"");
    let (docs, lists, ignored) = room.told(&two);
    assert_eq!((docs, lists), (json!([0, 0]), json!([500, 1])));
    // The last has nothing left to silence.
    assert_eq!(ignored, json!([silenced("docs", 3000, 2), silenced("docs", 3000, 1)]));
}

#[test]
fn a_variable_is_silenced_by_its_own_words_and_by_no_pattern_of_paths() {
    let room = Room::new();
    let secrets = |settings: &str| {
        room.settings(settings);
        of_rule(&findings(&room.user, &room.word), "secrets").len()
    };
    assert_eq!(secrets(""), 1);
    assert_eq!(secrets(&row("path = \"/**\"")), 1);
    assert_eq!(secrets(&row("path = \"ENV OTHER_TOKEN\"")), 1);
    assert_eq!(secrets(&row("path = \"ENV SAMPLE_TOKEN\"")), 0);
    assert_eq!(secrets(&row("rule = \"secrets\"")), 0);
    assert_eq!(secrets(&row("rule = \"docs\"")), 1);
}

#[test]
fn what_is_about_the_image_as_a_whole_is_silenced_by_its_rule() {
    let user = User::new();
    let layer = |number: usize| sized(&[(["a", "b"][number % 2], number as u64 + 1)]);
    let image = (0..60).fold(super::case::base(), |image, number| {
        image.layer(layer(number), &format!("COPY {number} / # buildkit"))
    });
    let word = write(&user, "many.tar", image);
    let told = |settings: &str| {
        fs_err::write(user.path("jettison.toml"), settings).unwrap();
        let document = findings(&user, &word);
        (of_rule(&document, "too-many-layers").len(), document["ignored"].clone())
    };
    assert_eq!(told(&row("path = \"/**\"\nrule = \"too-many-layers\"")), (1, json!([])));
    let expected = json!([silenced("too-many-layers", 0, 1)]);
    assert_eq!(told(&row("rule = \"too-many-layers\"")), (0, expected));
}

#[test]
fn a_day_ends_a_row_and_that_is_said() {
    let room = Room::new();
    let (docs, _, ignored) = room.told(&row("rule = \"docs\"\nuntil = 2999-12-31"));
    assert_eq!((docs, ignored), (json!([0, 0]), json!([silenced("docs", 6000, 3)])));
    room.settings(&row("rule = \"docs\"\nuntil = 2020-01-31"));
    let run = room.user.run(&["analyze", &room.word]);
    let warning = "jettison: warning: [[ignore]] number 1 ended on 2020-01-31: what it silenced is \
                   told again (it stays)\n";
    assert_eq!(run.stderr, warning);
    assert!(run.text().contains("docs: "));
    room.settings(&row("rule = \"docs\"\nuntil = 12:30:00"));
    let analyze = ["analyze", &room.word];
    room.user.run(&analyze).fails(2, &["[[ignore]] number 1: until is no date"]);
}

#[test]
fn mistakes_are_usage_errors_that_say_what_was_meant() {
    let room = Room::new();
    for (settings, words) in [
        (row("rule = \"doc\""), &["number 1: there is no rule doc: did you mean docs?"][..]),
        (row("rule = \"apt-list\""), &["there is no rule apt-list: did you mean apt-lists?"]),
        (
            row("rule = \"docs\"") + &row("rule = \"x\""),
            &["number 2: there is no rule x: known are"],
        ),
        (row("path = \"/a/[\""), &["[[ignore]] number 1: ", "/a/["]),
        ("[[ignore]]\nrule = \"docs\"\n".to_owned(), &["number 1: it gives no reason"]),
        ("[[ignore]]\nreason = \" \"\n".to_owned(), &["number 1: it gives no reason"]),
        ("[[ignore]]\nreason = \"a\"\n".to_owned(), &["number 1: it names no rule, path or"]),
        (row("rules = \"docs\""), &["unknown key rules in [ignore]: did you mean rule?"]),
        (row("rule = 7"), &["jettison.toml", "line 3"]),
        (row("until = \"2030-01-31\""), &["jettison.toml", "line 3"]),
        ("[[ignored]]\n".to_owned(), &["unknown section [ignored]: did you mean ignore?"]),
    ] {
        room.settings(&settings);
        room.user.run(&["analyze", &room.word]).fails(2, words);
    }
}

#[test]
fn the_text_says_how_much_was_silenced() {
    let room = Room::new();
    let last = |settings: &str, more: &[&str]| {
        room.settings(settings);
        let arguments = [&["analyze", &room.word, "--min-bytes", "0"], more].concat();
        let text = room.user.run(&arguments).text();
        text.lines().find(|line| line.contains("silenced")).map(str::to_owned)
    };
    for more in [&[][..], &["--advice", "full"]] {
        assert_eq!(last("", more), None);
        let silenced = last(&row("rule = \"docs\""), more);
        assert_eq!(silenced.as_deref(), Some("5.9 KiB in 3 places silenced by the settings"));
        let both = row("path = \"**/TODO\"") + &row("rule = \"secrets\"");
        let silenced = last(&both, more);
        assert_eq!(silenced.as_deref(), Some("1000 B in 2 places silenced by the settings"));
    }
    // What is not told is not silenced either.
    assert_eq!(last(&row("rule = \"docs\""), &["--advice", "off"]), None);
}

#[test]
fn what_is_left_of_a_finding_is_as_grave_as_its_own_bytes() {
    let user = User::new();
    let files = [("usr/share/doc/a/big", 2 << 20), ("usr/share/doc/a/small", 900)];
    let word = write(&user, "big.tar", image(sized(&files)));
    let severity = |settings: &str| {
        fs_err::write(user.path("jettison.toml"), settings).unwrap();
        of_rule(&findings(&user, &word), "docs")[0]["severity"].clone()
    };
    assert_eq!(severity(""), "low");
    assert_eq!(severity(&row("path = \"**/big\"")), "info");
}
