//! `jettison prune --advise-kubelet`: a file in, advice out, and no runtime anywhere.

use crate::jettison::User;

const CONFIG: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
const CONFIGZ: &str = r#"{"kubeletconfig":{"imageMinimumGCAge":"1h0m0s","imageMaximumGCAge":"0s",
"imageGCHighThresholdPercent":83,"imageGCLowThresholdPercent":78,
"evictionHard":{"imagefs.available":"15%","memory.available":"100Mi"}}}"#;

#[test]
fn advice_is_a_success_with_and_without_something_to_say() {
    let user = User::new();
    fs_err::write(user.path("config.yaml"), CONFIG).unwrap();
    fs_err::write(user.path("configz.json"), CONFIGZ).unwrap();
    let arguments = ["prune", "--advise-kubelet", "config.yaml"];
    let text = user.run(&arguments).text();
    for words in ["high-threshold-eviction", "imageMinimumGCAge: 1h", "restart the kubelet"] {
        assert!(text.contains(words), "{text}");
    }
    let quiet = ["prune", "--advise-kubelet", "configz.json", "--high-threshold", "80"];
    let text = user.run(&[&quiet[..], &["--low-threshold", "70"]].concat()).text();
    assert!(text.contains("Nothing there acts against this policy."), "{text}");
    assert!(text.contains("from 80 % in use down to 70 %"), "{text}");
    let piped = ["prune", "--advise-kubelet", "-", "--format", "json", "--older-than", "2d"];
    let run = user.run_with_input(&piped, CONFIGZ.as_bytes());
    let document = run.json();
    assert_eq!(document["advice"], serde_json::json!([]));
    assert_eq!(document["policy"]["olderThan"], 2 * 86_400);
}

#[test]
fn the_policy_may_stand_in_the_settings() {
    let user = User::new();
    fs_err::write(user.path("configz.json"), CONFIGZ).unwrap();
    let settings = "[prune]\nhigh-threshold = 90\nlow-threshold = 70\nmin-age = \"2h\"\n";
    fs_err::write(user.path("jettison.toml"), settings).unwrap();
    let output = "json=advice.json";
    let run = user.run(&["prune", "--advise-kubelet", "configz.json", "--output", output]);
    run.text();
    let document = fs_err::read_to_string(user.path("advice.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let codes: Vec<&str> = document["advice"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["high-threshold-first", "minimum-age"]);
}

#[test]
fn what_is_no_kubelet_configuration_says_so() {
    let user = User::new();
    fs_err::write(user.path("pod.yaml"), "kind: Pod\n").unwrap();
    fs_err::write(user.path("large.yaml"), vec![b'#'; 2 << 20]).unwrap();
    let run = |file: &str| user.run(&["prune", "--advise-kubelet", file]);
    run("none.yaml").fails(3, &["none.yaml"]);
    run("pod.yaml").fails(3, &["pod.yaml", "the kind Pod", "KubeletConfiguration", "/configz"]);
    run("large.yaml").fails(3, &["large.yaml", "larger than 1 MiB"]);
    run("https://node:10250/configz").fails(2, &["kubectl get --raw"]);
    let both = ["prune", "--advise-kubelet", "pod.yaml", "--yes"];
    user.run(&both).fails(2, &["--yes"]);
}
