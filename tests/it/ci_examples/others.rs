//! The services of GitLab, Jenkins and Circle, a hook of git, make.

use serde_json::Value;

use super::{Project, assert_blames, example, yaml};

#[test]
fn gitlab() {
    let Some(project) = Project::new() else { return };
    let job = &yaml("examples/ci/gitlab/.gitlab-ci.yml")["image-size"];
    let variables = [
        ("CI_COMMIT_SHA", project.head.as_str()),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", project.main.as_str()),
    ];
    let scripts: Vec<&str> =
        job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let (code, output) = project.run(&scripts.join("\n"), &variables);
    assert_eq!(code, 1, "{output}");
    assert_blames(&output);
    let reports = job["artifacts"]["reports"].as_object().unwrap();
    let quality: Value =
        serde_json::from_str(&project.read(reports["codequality"].as_str().unwrap())).unwrap();
    assert_eq!(quality[0]["location"]["path"], "Dockerfile");
    assert!(project.read(reports["metrics"].as_str().unwrap()).ends_with("# EOF\n"));
    assert!(project.read(reports["junit"].as_str().unwrap()).contains("<failure"));
    assert!(project.read("image-size.html").contains("<html"));
}

/// The commands of a declarative pipeline's `sh` steps.
fn commands(pipeline: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = pipeline;
    while let Some(at) = rest.find("sh '") {
        rest = &rest[at + 3..];
        let quote = if rest.starts_with("'''") { "'''" } else { "'" };
        rest = &rest[quote.len()..];
        let end = rest.find(quote).unwrap();
        all.push(&rest[..end]);
        rest = &rest[end + quote.len()..];
    }
    all
}

#[test]
fn jenkins() {
    let Some(project) = Project::new() else { return };
    let pipeline = example("examples/ci/jenkins/Jenkinsfile");
    let commands = commands(&pipeline);
    assert_eq!(commands.len(), 2);
    let variables =
        [("BUILD_NUMBER", "12"), ("CHANGE_TARGET", "main"), ("GIT_COMMIT", project.head.as_str())];
    assert_eq!(project.run(commands[0], &variables).0, 0);
    let (code, output) = project.run(commands[1], &variables);
    assert_eq!(code, 1, "{output}");
    assert_blames(&output);
    assert!(project.read("image-size.xml").contains("<failure"));
}

#[test]
fn circleci() {
    let Some(project) = Project::new() else { return };
    let steps = yaml("examples/ci/circleci/config.yml")["jobs"]["image-size"]["steps"].clone();
    let runs: Vec<String> = steps
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|step| step["run"]["command"].as_str().map(str::to_owned))
        .collect();
    let variables = [("CIRCLE_SHA1", project.head.as_str())];
    assert_eq!(project.run(&runs[0], &variables).0, 0);
    let (code, output) = project.run(&runs[1], &variables);
    assert_eq!(code, 1, "{output}");
    assert_blames(&output);
    assert!(project.read("reports/junit/image-size.xml").contains("<failure"));
}

#[test]
fn a_hook_before_push() {
    let Some(project) = Project::new() else { return };
    let hook = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/ci/pre-push");
    project.sh(&format!("cp {hook} .git/hooks/pre-push"));
    let push = "git commit --quiet --allow-empty --message more && git push --quiet origin feature";
    let (code, output) = project.run(push, &[]);
    assert_ne!(code, 0, "{output}");
    assert_blames(&output);
    let (code, output) =
        project.run("git push --quiet origin feature", &[("JETTISON_PUSH", "inform")]);
    assert_eq!(code, 0, "{output}");
    assert_blames(&output);
}

#[test]
fn make() {
    let Some(project) = Project::new() else { return };
    let makefile = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/ci/Makefile");
    project.sh(&format!("cp {makefile} . && git checkout --quiet main -- jettison-baseline.json"));
    let (code, output) = project.run("make --silent image-size", &[]);
    assert_ne!(code, 0, "{output}");
    assert_blames(&output);
    project.sh("make --silent image-size-baseline");
    let (code, output) = project.run("make --silent image-size", &[]);
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("nothing changed"), "{output}");
}
