use std::io::Write;
use std::process::{Command, Stdio};

use super::*;

fn edit(first: usize, last: usize, lines: &[&str]) -> Edit {
    Edit { first, last, lines: lines.iter().map(|line| (*line).to_owned()).collect() }
}

/// Applies a diff as a person would.
pub(in crate::advice::dockerfile) fn patched(path: &str, old: &str, diff: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(path);
    fs_err::write(&file, old).unwrap();
    let child = Command::new("patch")
        .args(["-p1", "--quiet", "--fuzz=0"])
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.expect("`patch` does not start; install it (apt-get install patch)");
    child.stdin.take().unwrap().write_all(diff.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{diff}\n{}", String::from_utf8_lossy(&output.stdout));
    fs_err::read_to_string(&file).unwrap()
}

#[test]
fn lines_are_replaced_put_in_appended_and_deleted() {
    let text = "a\nb\nc\n";
    for (edits, want) in [
        (vec![], "a\nb\nc\n"),
        (vec![edit(2, 2, &["x", "y"])], "a\nx\ny\nc\n"),
        (vec![edit(4, 3, &["d"]), edit(1, 0, &["0"])], "0\na\nb\nc\nd\n"),
        (vec![edit(1, 3, &[])], ""),
        (vec![edit(2, 1, &["x"]), edit(2, 2, &["y"])], "a\nx\ny\nc\n"),
        (vec![edit(2, 1, &["x"]), edit(2, 1, &["y"])], "a\nx\ny\nb\nc\n"),
    ] {
        assert_eq!(apply(text, &edits).as_deref(), Ok(want), "{edits:?}");
    }
}

#[test]
fn line_ends_are_the_files() {
    assert_eq!(apply("a\r\nb\r\n", &[edit(2, 1, &["x"])]).unwrap(), "a\r\nx\r\nb\r\n");
    assert_eq!(apply("a\nb", &[edit(2, 2, &["x"])]).unwrap(), "a\nx");
    assert_eq!(apply("a\nb", &[edit(3, 2, &["x"])]).unwrap(), "a\nb\nx");
    assert_eq!(apply("a\nb", &[edit(1, 1, &["x"])]).unwrap(), "x\nb");
    assert_eq!(apply("", &[edit(1, 0, &["x"])]).unwrap(), "x\n");
}

#[test]
fn what_overlaps_or_is_outside_is_refused() {
    let text = "a\nb\nc\n";
    let refused = |edits: &[Edit]| apply(text, edits).unwrap_err();
    assert_eq!(refused(&[edit(1, 2, &[]), edit(2, 3, &[])]), EditError::Overlap(1, 2));
    assert_eq!(refused(&[edit(1, 3, &[]), edit(2, 1, &["x"])]), EditError::Overlap(1, 2));
    for (first, last) in [(0, 0), (4, 4), (5, 4), (3, 1)] {
        let error = refused(&[edit(first, last, &[])]);
        assert_eq!(error, EditError::Outside { first, last, lines: 3 });
    }
}

#[test]
fn patch_takes_the_diff() {
    let long = (0..40).fold(String::new(), |all, line| all + &format!("line {line}\n"));
    let changed = long.replace("line 3\n", "").replace("line 30\n", "x\ny\n");
    for (old, new) in [
        ("a\nb\n", "a\nc\n"),
        ("a\nb", "a\nc"),
        ("a\nb", "a\nb\nc\n"),
        ("a\nb\n", "a\nb"),
        ("a\r\nb\r\n", "a\r\nx\r\nb\r\n"),
        ("a\rb\nc\n", "a\rb\nd\n"),
        ("a\n", "a\nb\rc"),
        ("\n\n\n", "x\n\n\n\n"),
        (&long, &changed),
    ] {
        let diff = unified_diff("Dockerfile", old, new);
        assert_eq!(patched("Dockerfile", old, &diff), *new, "{diff}");
    }
    let diff = unified_diff("my file", "a\n", "b\n");
    assert_eq!(patched("my file", "a\n", &diff), "b\n");
    assert_eq!(unified_diff("a", "x\n", "x\n"), "");
    assert_eq!(
        unified_diff("Dockerfile", "a\nb", "a\nc"),
        "--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n\
         +c\n\\ No newline at end of file\n"
    );
}
