//! The pages in `docs/rules` are those of the rules.

use std::fmt::Write as _;

use jettison_analyzer::rule;

#[test]
fn every_rule_has_its_page() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules");
    let update = std::env::var_os("JETTISON_UPDATE_RULES").is_some();
    let mut index = "# Rules\n\nWhat `jettison analyze` finds in images. The first rule of this \
                     list that fits a file has it, so that no byte is counted twice. `jettison rules \
                     --explain RULE` prints a page.\n\n| rule | finds |\n|---|---|\n"
        .to_owned();
    let mut expected = vec!["README.md".to_owned()];
    let check = |name: &str, made: &str| {
        let path = format!("{directory}/{name}");
        if update {
            fs_err::create_dir_all(directory).unwrap();
            fs_err::write(&path, made).unwrap();
        }
        assert!(
            fs_err::read_to_string(&path).unwrap_or_default() == made,
            "docs/rules/{name} has drifted: run this test with JETTISON_UPDATE_RULES=1 and commit"
        );
    };
    for rule in rule::ALL {
        let name = format!("{}.md", rule.id);
        check(&name, &rule.page());
        let _ = writeln!(index, "| [{}]({name}) | {} |", rule.id, rule.title);
        expected.push(name);
    }
    check("README.md", &index);
    let mut found: Vec<String> = fs_err::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "a page without a rule");
}
