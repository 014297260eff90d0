//! The images that a pod names: those it asks for, and those it was given.

use serde_json::Value;

use super::field::Object;
use super::spec::{self, Of};
use crate::cluster::{Mention, Pod};

/// Where the kubelet writes the UID that it gave a static pod, on the pod's mirror in the API.
const STATIC_UIDS: [&str; 2] = ["kubernetes.io/config.hash", "kubernetes.io/config.mirror"];

/// The statuses that name an image.
const STATUSES: [&str; 3] =
    ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];

/// Reads `value`, a pod as the Kubernetes API shows it. An error is a view that nobody can trust:
/// a field of another type than the API has, or an image that is not named.
pub fn of(value: &Value) -> Result<Pod, String> {
    let object = Object::open("Pod", value)?;
    let metadata = object.metadata()?;
    let uid = object.text(metadata, "uid", "metadata.uid")?.unwrap_or_default().to_owned();
    let spec = object.required(value, "spec", "spec")?;
    let mut mentions = spec::mentions(&object, spec, "spec", Of::Pod)?;
    if let Some(status) = object.object(value, "status", "status")? {
        of_status(&object, status, &mut mentions)?;
    }
    Ok(Pod {
        uid,
        static_uid: static_uid(&object, metadata)?,
        mentions,
        namespace: object.namespace,
        name: object.name,
    })
}

fn static_uid(object: &Object<'_>, metadata: &Value) -> Result<Option<String>, String> {
    let Some(annotations) = object.object(metadata, "annotations", "metadata.annotations")? else {
        return Ok(None);
    };
    for key in STATIC_UIDS {
        let field = format!("metadata.annotations[{key}]");
        match object.text(annotations, key, &field)? {
            None | Some("") => {}
            Some(uid) => return Ok(Some(uid.to_owned())),
        }
    }
    Ok(None)
}

/// What the containers were given. It may differ from what the pod asks for: a tag moves on. A
/// container that has not been started names none.
fn of_status(
    object: &Object<'_>,
    status: &Value,
    mentions: &mut Vec<Mention>,
) -> Result<(), String> {
    let mut add = |image: Option<&str>, field: String| {
        if let Some(image) = image.filter(|image| !image.trim().is_empty()) {
            mentions.push(Mention { image: image.to_owned(), field, never_pulled: false });
        }
    };
    for list in STATUSES {
        for (container, at) in object.each(status, list, &format!("status.{list}"))? {
            for key in ["image", "imageID"] {
                let field = format!("{at}.{key}");
                add(object.text(container, key, &field)?, field);
            }
            // The digest of an image that is mounted, since Kubernetes 1.36.
            for (mount, at) in
                object.each(container, "volumeMounts", &format!("{at}.volumeMounts"))?
            {
                let field = format!("{at}.volumeStatus");
                let volume = object.object(mount, "volumeStatus", &field)?;
                let field = format!("{field}.image");
                let image = match volume {
                    Some(volume) => object.object(volume, "image", &field)?,
                    None => None,
                };
                if let Some(image) = image {
                    let field = format!("{field}.imageRef");
                    add(object.text(image, "imageRef", &field)?, field);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
