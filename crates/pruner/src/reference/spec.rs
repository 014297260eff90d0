//! The images that a pod's spec names, in a pod or in what makes pods.

use serde_json::Value;

use super::field::Object;
use crate::cluster::Mention;

/// Whose spec it is: the API is stricter with pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// A pod. Each image is named.
    Pod,
    /// A template. An image that something fills in when pods are made is written as blanks
    /// (`OpenShift`'s image triggers), the reference of an image volume may be left out.
    Template,
}

/// The lists of a spec whose elements name an image.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Every image that `spec` names; `path` is where it stands, such as `spec.template.spec`.
pub(super) fn mentions(
    object: &Object<'_>,
    spec: &Value,
    path: &str,
    of: Of,
) -> Result<Vec<Mention>, String> {
    let mut mentions = Vec::new();
    for list in CONTAINERS {
        let elements = object.each(spec, list, &format!("{path}.{list}"))?;
        // An object whose spec was left out, such as one of metadata alone, names none.
        if list == "containers" && elements.is_empty() {
            return Err(object.lacks(&format!("{path}.containers")));
        }
        for (container, at) in elements {
            let field = format!("{at}.image");
            let image = object.text(container, "image", &field)?.unwrap_or_default();
            let policy =
                object.text(container, "imagePullPolicy", &format!("{at}.imagePullPolicy"))?;
            if image.is_empty() {
                return Err(object.lacks(&field));
            }
            mentions.extend(mention(object, image, field, policy, of)?);
        }
    }
    for (volume, at) in object.each(spec, "volumes", &format!("{path}.volumes"))? {
        let Some(source) = object.object(volume, "image", &format!("{at}.image"))? else {
            continue;
        };
        let field = format!("{at}.image.reference");
        let reference = object.text(source, "reference", &field)?.unwrap_or_default();
        let policy = object.text(source, "pullPolicy", &format!("{at}.image.pullPolicy"))?;
        if !reference.is_empty() || of == Of::Pod {
            mentions.extend(mention(object, reference, field, policy, of)?);
        }
    }
    Ok(mentions)
}

fn mention(
    object: &Object<'_>,
    image: &str,
    field: String,
    policy: Option<&str>,
    of: Of,
) -> Result<Option<Mention>, String> {
    match (image.trim(), of) {
        ("", Of::Pod) => Err(object.lacks(&field)),
        ("", Of::Template) => Ok(None),
        (trimmed, of) => {
            // The API takes blanks around it in a template only.
            let image = if of == Of::Pod { image } else { trimmed }.to_owned();
            Ok(Some(Mention { image, field, never_pulled: policy == Some("Never") }))
        }
    }
}
