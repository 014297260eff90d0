//! GitHub: the action, the workflow of a pull request, the comment, the baseline.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::{Project, assert_blames, yaml};

/// A runner's place for files.
const OUTPUT: &str = "../github-output";
const SUMMARY: &str = "../github-summary";

/// The steps of a job.
fn steps(workflow: &Value, job: &str) -> Vec<Value> {
    workflow["jobs"][job]["steps"].as_array().unwrap().clone()
}

/// Runs the action with inputs; what is not given is its default.
fn action(project: &Project, with: &Value) -> (i32, String) {
    let action = yaml("action.yml");
    let inputs = action["inputs"].as_object().unwrap();
    for name in with.as_object().unwrap().keys() {
        assert!(inputs.contains_key(name), "the action has no input {name}");
    }
    let step = &action["runs"]["steps"][0];
    let value = |expression: &str| {
        let name = expression.strip_prefix("${{ inputs.").unwrap().strip_suffix(" }}").unwrap();
        let given = with.get(name).or_else(|| inputs[name].get("default"));
        let text = given.and_then(Value::as_str).unwrap_or_default();
        text.replace("${{ runner.temp }}", "..")
    };
    let variables: Vec<(String, String)> = step["env"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, expression)| (name.clone(), value(expression.as_str().unwrap())))
        .chain(
            [("GITHUB_OUTPUT", OUTPUT), ("GITHUB_STEP_SUMMARY", SUMMARY)]
                .map(|(name, path)| (name.to_owned(), path.to_owned())),
        )
        .collect();
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    project.run(step["run"].as_str().unwrap(), &variables)
}

/// The outputs of a step, as a runner reads them.
fn outputs(project: &Project) -> std::collections::BTreeMap<String, String> {
    let text = project.read(OUTPUT);
    let mut outputs = std::collections::BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.contains("<<")) {
            outputs.insert(name.to_owned(), value.to_owned());
        } else if let Some((name, mark)) = line.split_once("<<") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != mark).collect();
            outputs.insert(name.to_owned(), body.join("\n"));
        }
    }
    outputs
}

/// Runs the commands of a workflow up to the action, and the action with what it is given.
fn pull_request(project: &Project) -> (i32, String) {
    let mut last = (0, String::new());
    for step in steps(&yaml("examples/ci/github/image-size.yml"), "image-size") {
        if let Some(script) = step["run"].as_str() {
            let (code, output) = project.run(script, &[("RUNNER_TEMP", "..")]);
            assert_eq!(code, 0, "{output}");
        } else if step["uses"].as_str().unwrap().starts_with("jettison/") {
            last = action(project, &step["with"]);
        }
    }
    last
}

#[test]
fn a_pull_request_is_compared_with_what_it_is_merged_into() {
    let Some(project) = Project::new() else { return };
    // As GitHub checks it out: the merge commit.
    project.sh("git checkout --quiet main && git merge --quiet --no-ff --no-edit feature");
    let (code, output) = pull_request(&project);
    assert_eq!(code, 1, "{output}");
    assert!(output.contains("::error file=Dockerfile,line=2"), "{output}");
    assert_blames(&output);
    let outputs = outputs(&project);
    assert_eq!(outputs["verdict"], "fail");
    let sizes: Value = serde_json::from_str(&outputs["sizes"]).unwrap();
    assert_eq!(
        (&sizes[0]["image"], &sizes[0]["sizes"]["effective"]),
        (&"app".into(), &3_100_000.into())
    );
    assert!(outputs["comment-body"].starts_with("<!-- jettison-gate:app -->"), "{outputs:?}");
    assert_blames(&outputs["comment-body"]);
    assert_eq!(project.read(SUMMARY).trim(), outputs["comment-body"].trim());
    for report in ["gate.json", "gate.markdown", "gate.sarif", "gate.html"] {
        assert!(
            !project.read(&format!("{}/{report}", outputs["directory"])).is_empty(),
            "{report}"
        );
    }
}

#[test]
fn inputs_are_never_run_and_failures_are_told() {
    let Some(project) = Project::new() else { return };
    let hostile = "app=docker-daemon:app:main\n$(touch hacked)`touch hacked`\"; touch hacked; \"";
    let (code, _) = action(&project, &serde_json::json!({ "image": hostile }));
    assert_ne!(code, 0);
    assert!(!project.path("hacked").exists());
    // What the branch has for a baseline is none.
    let image = serde_json::json!({ "image": "app=docker-daemon:app:main" });
    let (code, output) = action(&project, &image);
    assert_eq!(code, 2, "{output}");
    let none = serde_json::json!({ "image": "oci:none", "baseline": "none.json" });
    let (code, output) = action(&project, &none);
    assert_eq!(code, 3, "{output}");
    assert_eq!(outputs(&project).get("verdict"), None);
    let inform = serde_json::json!({
        "image": "app=docker-daemon:app:main", "baseline": "none.json", "config": "strict.toml",
        "exit-zero": "true", "summary": "false", "formats": "junit,csv"
    });
    let strict = "[[gate.budget]]\nmetric = \"effective\"\nmax = 1\n";
    fs_err::write(project.path("strict.toml"), strict).unwrap();
    let (code, output) = action(&project, &inform);
    assert_eq!(code, 0, "{output}");
    assert_eq!(outputs(&project)["verdict"], "fail");
    assert!(!project.path(SUMMARY).exists());
}

/// GitHub's command line, which keeps one comment.
const GH: &str = r#"#!/bin/bash
set -euo pipefail
echo "gh $*" >>../gh.log
case "$*" in
    "run download"*) mkdir -p reports && cp jettison-reports/* reports/ ;;
    *"/pulls?"*) echo 7 ;;
    *"/comments --paginate"*)
        [ -f ../comment ] && [ "$(head -n 1 ../comment)" = "$MARKER" ] && echo 99 || true ;;
    *"--method DELETE"*) rm ../comment ;;
    *) cp reports/gate.markdown ../comment ;;
esac
"#;

#[test]
fn one_comment_is_made_kept_and_taken_away() {
    let Some(project) = Project::new() else { return };
    let gh = project.user.path("bin/gh");
    fs_err::write(&gh, GH).unwrap();
    fs_err::set_permissions(&gh, std::fs::Permissions::from_mode(0o755)).unwrap();
    let comment = steps(&yaml("examples/ci/github/comment.yml"), "comment");
    let comment = || {
        let variables = [
            ("GH_TOKEN", "x"),
            ("REPOSITORY", "a/b"),
            ("RUN", "1"),
            ("OWNER", "f"),
            ("BRANCH", "c"),
        ];
        let (code, output) = project.run(comment[0]["run"].as_str().unwrap(), &variables);
        assert_eq!(code, 0, "{output}");
        let log = fs_err::read_to_string(project.path("../gh.log")).unwrap();
        log.lines().last().unwrap().to_owned()
    };
    project.sh("git checkout --quiet main && git merge --quiet --no-ff --no-edit feature");
    assert_eq!(pull_request(&project).0, 1);
    assert!(comment().contains("--method POST repos/a/b/issues/7/comments"));
    assert_blames(&fs_err::read_to_string(project.path("../comment")).unwrap());
    assert!(comment().contains("--method PATCH repos/a/b/issues/comments/99"));
    // The growth is taken back: nothing is left to say.
    project.sh("git rm --quiet data/large.bin && git commit --quiet --amend --no-edit");
    assert_eq!(pull_request(&project).0, 0);
    assert!(comment().contains("--method DELETE repos/a/b/issues/comments/99"));
    assert!(!project.path("../comment").exists());
}

#[test]
fn the_main_branch_notes_its_own_state() {
    let Some(project) = Project::new() else { return };
    let baseline = steps(&yaml("examples/ci/github/baseline.yml"), "baseline");
    let run = || {
        for step in baseline.iter().filter_map(|step| step["run"].as_str()) {
            let (code, output) = project.run(step, &[("GITHUB_SHA", &project.main)]);
            assert_eq!(code, 0, "{output}");
        }
        project.sh("git rev-parse origin/main")
    };
    project.sh("git checkout --quiet main");
    // Nothing moved: nothing is committed.
    assert_eq!(run(), project.main);
    project.sh("git merge --quiet --no-ff --no-edit --strategy-option ours feature");
    project.sh("git checkout --quiet HEAD^1 -- jettison-baseline.json && git commit --quiet --amend --no-edit && git push --quiet --set-upstream origin main");
    let before = project.sh("git rev-parse HEAD");
    assert_ne!(run(), before);
    assert!(project.sh("git show HEAD:jettison-baseline.json").contains("3100000"));
}
