//! The pods that a kubelet runs by manifests of its own: the API may not know them, as while it
//! is being started by one of them.

use std::io::Read as _;
use std::path::Path;

use fs_err as fs;
use jettison_oci::escape;
use serde_json::{Value, json};

use super::field::type_of;
use super::pod;
use crate::cluster::Pod;
use crate::{Error, Result};

/// The largest manifest that is read, in bytes. etcd, which holds every other object of a cluster,
/// takes none above 1.5 MiB; those of static pods have a few KiB.
pub const MANIFEST_MAX: u64 = 1 << 20;

/// The pods of the manifests in a kubelet's `staticPodPath`. As the kubelet does, what is hidden,
/// a directory, or neither that nor a file is left out; unlike it, a file that cannot be
/// understood is an error, as it may name any image.
pub fn read(directory: &Path) -> Result<Vec<Pod>> {
    let unreadable = |error: std::io::Error| {
        Error::Refused(format!(
            "{}: the directory of static pods cannot be read ({}), so their images are not known: \
             name the kubelet's staticPodPath",
            shown(directory),
            escape::line(&error.to_string())
        ))
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    let mut pods = Vec::new();
    for path in paths {
        manifest(&path, &mut pods).map_err(|because| {
            Error::Refused(format!(
                "{}: a manifest of static pods {because}, so the images that it names are not \
                 known: mend it, or move it out of the directory, which the kubelet reads whole",
                shown(&path)
            ))
        })?;
    }
    Ok(pods)
}

/// Adds the pods of one file.
fn manifest(path: &Path, pods: &mut Vec<Pod>) -> Result<(), String> {
    let failed =
        |error: std::io::Error| format!("cannot be read ({})", escape::line(&error.to_string()));
    // Follows a link, as the kubelet does.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Ok(());
    }
    let mut bytes = Vec::new();
    let mut file = fs::File::open(path).map_err(failed)?.take(MANIFEST_MAX + 1);
    file.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MANIFEST_MAX {
        return Err(format!("is larger than {} MiB", MANIFEST_MAX >> 20));
    }
    parse(&bytes, pods)
}

/// Adds the pods of a manifest's bytes; the error is the end of a sentence.
#[doc(hidden)]
pub fn parse(bytes: &[u8], pods: &mut Vec<Pod>) -> Result<(), String> {
    let before = pods.len();
    // JSON is YAML too. The kubelet takes a file's first document only; to take all is safer.
    let documents: Vec<Value> = serde_saphyr::from_slice_multiple(bytes).map_err(|error| {
        let words: String = escape::line(&error.to_string()).chars().take(300).collect();
        format!("is neither YAML nor JSON ({words})")
    })?;
    for document in &documents {
        take(document, pods)?;
    }
    if pods.len() == before {
        return Err("holds no pod".to_owned());
    }
    Ok(())
}

/// Adds the pods of one document: a pod, or a list of them.
fn take(document: &Value, pods: &mut Vec<Pod>) -> Result<(), String> {
    let kind = document.get("kind").and_then(Value::as_str).unwrap_or_default();
    if kind == "Pod" {
        let mut pod = pod::of(document)?;
        // The kubelet gives it the UID that the manifest asks for, and its mirror has another one.
        let uid = std::mem::take(&mut pod.uid);
        if !uid.is_empty() {
            pod.static_uid = Some(uid);
        }
        pods.push(pod);
        return Ok(());
    }
    if !matches!(kind, "List" | "PodList") {
        let found = match document {
            Value::Object(_) if kind.is_empty() => "an object without a kind".to_owned(),
            Value::Object(_) => format!("the kind {}", escape::line(kind)),
            other => type_of(other).to_owned(),
        };
        return Err(format!("holds {found}, expected the kind Pod"));
    }
    match document.get("items") {
        // Those of a PodList need not say their kind.
        Some(Value::Array(items)) => items.iter().try_for_each(|item| match item {
            Value::Object(object) if kind == "PodList" && !object.contains_key("kind") => {
                let mut object = object.clone();
                object.insert("kind".to_owned(), json!("Pod"));
                take(&Value::Object(object), pods)
            }
            other => take(other, pods),
        }),
        Some(other) => Err(format!("has items that are {}, expected a list", type_of(other))),
        None => Err("is a list without items".to_owned()),
    }
}

fn shown(path: &Path) -> String {
    escape::path(path.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests;
