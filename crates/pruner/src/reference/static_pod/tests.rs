use std::os::unix::fs::symlink;

use super::*;

fn directory(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    directory
}

fn refusal(name: &str, content: &[u8]) -> String {
    let directory = directory(&[
        (
            "a.yaml",
            b"kind: Pod\nmetadata: {name: a}\nspec: {containers: \
        [{image: a}]}\n",
        ),
        (name, content),
    ]);
    let error = read(directory.path()).unwrap_err();
    assert!(error.is_refusal(), "{error}");
    let text = error.to_string();
    assert!(text.contains(&format!("{name}: a manifest")), "{text}");
    assert!(text.contains("mend it, or move it out"), "{text}");
    text
}

const APISERVER: &[u8] = b"apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver
  namespace: kube-system
  annotations: {kubernetes.io/config.hash: \"\"}
spec:
  hostNetwork: true
  containers:
  - name: kube-apiserver
    image: registry.k8s.io/kube-apiserver:v1.33.1
    imagePullPolicy: IfNotPresent
status: {}
";

#[test]
fn reads_every_manifest() {
    let several = b"---
kind: Pod
metadata: {name: one, uid: own-uid}
spec: {containers: [{name: a, image: one}]}
---
# nothing here
---
kind: List
items:
- {kind: Pod, metadata: {name: two}, spec: {containers: [{image: two, imagePullPolicy: Never}]}}
- kind: PodList
  items: [{metadata: {name: three}, spec: {containers: [{image: three}]}}]
";
    let json = br#"{"kind":"Pod","metadata":{"name":"j"},"spec":{"containers":[{"image":"j"}]}}"#;
    let directory = directory(&[
        ("api.yaml", APISERVER),
        ("json", json),
        ("several.yaml", several),
        (".hidden", b"not: [a pod"),
    ]);
    fs::create_dir(directory.path().join("folder")).unwrap();
    fs::write(directory.path().join("folder/x.yaml"), b"not: [a pod").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("x"), json).unwrap();
    symlink(elsewhere.path().join("x"), directory.path().join("link")).unwrap();

    let pods = read(directory.path()).unwrap();
    let seen: Vec<_> = pods
        .iter()
        .map(|pod| (pod.namespace.as_str(), pod.name.as_str(), pod.mentions[0].image.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("kube-system", "kube-apiserver", "registry.k8s.io/kube-apiserver:v1.33.1"),
            ("default", "j", "j"),
            ("default", "j", "j"),
            ("default", "one", "one"),
            ("default", "two", "two"),
            ("default", "three", "three"),
        ]
    );
    assert!(pods.iter().all(|pod| pod.uid.is_empty()));
    assert_eq!(pods[3].static_uid.as_deref(), Some("own-uid"));
    assert!(pods[4].mentions[0].never_pulled);
}

#[test]
fn what_cannot_be_understood_is_refused() {
    for (content, words) in [
        (&b""[..], "holds no pod"),
        (b"# soon\n", "holds no pod"),
        (b"kind: Pod\n  metadata: [", "is neither YAML nor JSON"),
        (b"\xff\xfe\x00", "is neither YAML nor JSON"),
        (b"read me", "holds a string, expected the kind Pod"),
        (b"kind: ConfigMap\nmetadata: {name: a}\n", "holds the kind ConfigMap, expected the kind"),
        (b"metadata: {name: a}\n", "holds an object without a kind"),
        (b"kind: List\n", "is a list without items"),
        (b"kind: List\nitems: 3\n", "has items that are a number"),
        (b"kind: List\nitems: [{kind: Node}]\n", "holds the kind Node"),
        (b"kind: Pod\nmetadata: {name: b}\n", "Pod default/b has no spec"),
        (
            b"kind: Pod\nmetadata: {name: b}\nspec: {containers: [{name: a, image: 1.0}]}\n",
            "Pod default/b: spec.containers[a].image is a number",
        ),
        (b"kind: Pod\nkind: Pod\nmetadata: {name: b}\n", "is neither YAML nor JSON"),
    ] {
        let text = refusal("b.yaml", content);
        assert!(text.contains(words), "{text}\nlacks: {words}");
    }
    let mut large = APISERVER.to_vec();
    large.resize(usize::try_from(MANIFEST_MAX).unwrap(), b'\n');
    assert_eq!(read(directory(&[("large", &large)]).path()).unwrap().len(), 1);
    large.push(b'\n');
    assert!(refusal("large", &large).contains("is larger than 1 MiB"));
}

#[test]
fn what_cannot_be_read_is_refused() {
    let directory = directory(&[("a.yaml", APISERVER)]);
    symlink("/nowhere/at/all", directory.path().join("gone.yaml")).unwrap();
    let text = read(directory.path()).unwrap_err().to_string();
    assert!(text.contains("gone.yaml: a manifest of static pods cannot be read"), "{text}");

    let none = directory.path().join("none");
    let error = read(&none).unwrap_err();
    assert!(error.is_refusal());
    assert!(error.to_string().contains("name the kubelet's staticPodPath"), "{error}");
    assert!(read(&directory.path().join("a.yaml")).unwrap_err().is_refusal());
}
