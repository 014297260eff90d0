use super::*;

fn words(script: &str) -> Vec<String> {
    let join = |command: &Command| {
        command.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    };
    commands(script).expect(script).iter().map(join).collect()
}

#[test]
fn commands_and_their_words() {
    for (script, want) in [
        (
            "apt-get update && apt-get install -y 'a b' \"c\"",
            &["apt-get update", "apt-get install -y a b c"][..],
        ),
        ("set -eux; if [ -f x ]; then rm x; fi", &["set -eux", "[ -f x ]", "rm x"]),
        ("DEBIAN_FRONTEND=noninteractive sudo -E apt-get install x", &["apt-get install x"]),
        ("a 2>/dev/null >&2 b | c &> d || e & f", &["a b", "c", "e", "f"]),
        ("a # && b\nc", &["a", "c"]),
        (
            "echo $(apt-get update; x) `y z` ${A:-b c}",
            &["echo $(apt-get update; x) `y z` ${A:-b c}"],
        ),
        ("cat <<E > x\nrm y\nE\nz", &["cat", "z"]),
        ("(cd /a && make); { b; }", &["cd /a", "make", "b"]),
        ("a \\\n  b", &["a b"]),
        ("for x in a b; do rm $x; done", &["for x in a b", "rm $x"]),
        ("echo '#' a#b", &["echo # a#b"]),
        ("echo $(a ')' \")\" \\)) ${b:-it's}", &["echo $(a ')' \")\" \\)) ${b:-it's}"]),
        ("", &[]),
    ] {
        assert_eq!(words(script), want, "{script}");
    }
}

#[test]
fn places_and_operators() {
    let script = "a 'b c' && d >e; (f) | g";
    let all = commands(script).unwrap();
    assert_eq!(&script[all[0].words[1].start..all[0].words[1].end], "'b c'");
    assert_eq!(&script[..all[1].end], "a 'b c' && d >e");
    assert_eq!((all[0].before, all[0].after), (Operator::End, Operator::And));
    assert_eq!((all[1].before, all[1].after), (Operator::And, Operator::Semicolon));
    assert!(all[2].nested && !all[3].nested && all[1].redirected);
    assert_eq!(all[3].before, Operator::Pipe);
}

#[test]
fn verbs() {
    let is = |script: &str| commands(script).unwrap()[0].verb(&["install"]).is_some();
    assert!(is("apt-get -y install x"));
    assert!(is("apt-get -o A=b install x"));
    assert!(is("/usr/bin/apt-get install"));
    assert!(!is("npm run install"));
    assert!(!is("apt-get remove install"));
}

#[test]
fn what_is_never_closed_is_no_script() {
    for script in ["a 'b ", "a \"b", "a $(b", "a ${b", "a `b", "a \"$(b\"", "a $(b ')"] {
        assert_eq!(commands(script), None, "{script}");
    }
}
