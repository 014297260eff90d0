use super::*;

/// Patterns, a path, and whether moby's patternmatcher takes it for excluded.
#[test]
fn patterns_match_as_mobys_do() {
    for (patterns, path, want) in [
        ("a", "a", true),
        ("a", "a/b/c", true),
        ("a", "b/a", false),
        ("/a", "a", true),
        ("a/", "a/b", true),
        ("./a/../b", "b", true),
        ("*", "a/b", true),
        ("*.txt", "a.txt", true),
        ("*.txt", "d/a.txt", false),
        ("*/temp*", "d/temporary.txt", true),
        ("*/temp*", "d/e/temporary.txt", false),
        ("**/*.txt", "a.txt", true),
        ("**/*.txt", "d/e/a.txt", true),
        ("**", "a/b", true),
        ("a/**", "a/b", true),
        ("a/**", "a", false),
        ("a/**/b", "a/b", true),
        ("a/**/b", "a/x/y/b", true),
        ("a/**/b", "a/xb", false),
        ("a**b", "ab", true),
        ("a**b", "axb", false),
        ("a**b", "ax/b", true),
        ("**/b", "ab", false),
        ("**b", "ab", true),
        ("te?t", "test", true),
        ("te?t", "te/t", false),
        ("[a-c]x", "bx", true),
        ("[^a-c]x", "bx", false),
        ("[^a-c]x", "dx", true),
        ("\\*", "*", true),
        ("\\*", "a", false),
        ("a.c", "abc", false),
        ("a+(b)", "a+(b)", true),
        ("[", "[", false),
        ("# a", "# a", false),
        ("  a  ", "a", true),
        ("", "a", false),
        ("*\n!a", "a", false),
        ("*\n!a", "b", true),
        ("*\n!a", "a/b", false),
        ("!a\n*", "a", true),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true),
        ("*.md\n!README*.md\nREADME-secret.md", "README-x.md", false),
        ("*\n! a", "a", false),
        ("\u{feff}a", "a", true),
        ("a\r\nb\r\n", "a", true),
        ("é*", "éa", true),
    ] {
        assert_eq!(Ignore::parse(patterns).excludes(path), want, "{patterns:?} and {path:?}");
    }
}

#[test]
fn a_path_may_be_written_with_its_start() {
    let ignore = Ignore::parse("a/b");
    assert!(ignore.excludes("./a/b") && ignore.excludes("/a/b") && ignore.excludes("a/b/"));
}

#[test]
fn what_is_missing() {
    let paths = [
        ".git/HEAD",
        "src/main.c",
        "pkg/node_modules/x/index.js",
        "node_modules/y/index.js",
        ".env",
        "app/__pycache__/a.cpython-312.pyc",
        "Dockerfile.dev",
        "sub/Dockerfile",
        "docker-compose.override.yaml",
        ".github/x.yml",
        ".gitignore",
        "target/debug/app",
    ];
    let missing = |ignore, modules| super::missing(ignore, paths.into_iter(), modules);
    assert_eq!(
        missing(None, false),
        [".git", "**/__pycache__", "**/*.pyc", ".env", "Dockerfile*", "docker-compose*.y*ml"]
    );
    assert_eq!(
        missing(Some(".git\n**/*.pyc\n"), true),
        ["**/node_modules", ".env", "Dockerfile*", "docker-compose*.y*ml"]
    );
    // What an exception asks for is wanted.
    assert!(!missing(Some("*\n!.env\n!src\n"), true).contains(&".env".to_owned()));
    assert_eq!(missing(Some("*\n!src\n"), true), [] as [&str; 0]);
    // The entries leave out what asked for them.
    let ignore = missing(None, true).join("\n");
    assert_eq!(super::missing(Some(&ignore), paths.into_iter(), true), [] as [&str; 0]);
}
