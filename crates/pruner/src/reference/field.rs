//! Fields of an object of the Kubernetes API. What is absent and what is `null` is the same there;
//! a field of another type than the API has is an error, as nobody knows what it would name.

use jettison_oci::escape;
use serde_json::Value;

/// An object that fields are read of, for the errors about them.
#[derive(Debug)]
pub(super) struct Object<'a> {
    value: &'a Value,
    /// `Pod default/web`.
    title: String,
    /// Its namespace; `default` where it has none, as the kubelet takes manifests.
    pub(super) namespace: String,
    /// Its name, never empty.
    pub(super) name: String,
}

impl<'a> Object<'a> {
    /// `value` as an object of this kind. Those of a list need not say their kind.
    pub(super) fn open(kind: &str, value: &'a Value) -> Result<Self, String> {
        // Until it has a name: what stands before it in messages.
        let mut object = Self {
            value,
            title: format!("a {kind}"),
            namespace: "default".into(),
            name: String::new(),
        };
        if !value.is_object() {
            return Err(format!("a {kind} is {}, expected an object", type_of(value)));
        }
        let metadata = object.metadata()?;
        if let Some(name) = object.text(metadata, "name", "metadata.name")? {
            name.clone_into(&mut object.name);
        }
        if object.name.is_empty() {
            return Err(format!("a {kind} has no metadata.name, expected the name of the {kind}"));
        }
        object.title = format!("{kind} {}", escape::line(&object.name));
        if let Some(namespace) = object.text(metadata, "namespace", "metadata.namespace")?
            && !namespace.is_empty()
        {
            namespace.clone_into(&mut object.namespace);
        }
        object.title =
            format!("{kind} {}/{}", escape::line(&object.namespace), escape::line(&object.name));
        match object.text(value, "kind", "kind")? {
            Some(found) if found != kind => {
                Err(object.wrong("kind", &format!("\"{}\"", escape::line(found)), kind))
            }
            _ => Ok(object),
        }
    }

    /// Its metadata.
    pub(super) fn metadata(&self) -> Result<&'a Value, String> {
        self.object(self.value, "metadata", "metadata")?.ok_or_else(|| self.lacks("metadata"))
    }

    /// A text; `None` where it is absent.
    pub(super) fn text(
        &self,
        parent: &'a Value,
        key: &str,
        field: &str,
    ) -> Result<Option<&'a str>, String> {
        match parent.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(field, type_of(other), "a string")),
        }
    }

    /// An object; `None` where it is absent.
    pub(super) fn object(
        &self,
        parent: &'a Value,
        key: &str,
        field: &str,
    ) -> Result<Option<&'a Value>, String> {
        match parent.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(object @ Value::Object(_)) => Ok(Some(object)),
            Some(other) => Err(self.wrong(field, type_of(other), "an object")),
        }
    }

    /// The objects of a list, each with its field: `spec.containers[app]`. None where the list is
    /// absent.
    pub(super) fn each(
        &self,
        parent: &'a Value,
        key: &str,
        field: &str,
    ) -> Result<Vec<(&'a Value, String)>, String> {
        let list = match parent.get(key) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(other) => return Err(self.wrong(field, type_of(other), "a list")),
        };
        let element = |(index, element): (usize, &'a Value)| {
            let at = format!("{field}[{index}]");
            if !element.is_object() {
                return Err(self.wrong(&at, type_of(element), "an object"));
            }
            match self.text(element, "name", &format!("{at}.name"))? {
                None | Some("") => Ok((element, at)),
                Some(name) => Ok((element, format!("{field}[{}]", escape::line(name)))),
            }
        };
        list.iter().enumerate().map(element).collect()
    }

    /// An object that must be there.
    pub(super) fn required(
        &self,
        parent: &'a Value,
        key: &str,
        field: &str,
    ) -> Result<&'a Value, String> {
        self.object(parent, key, field)?.ok_or_else(|| self.lacks(field))
    }

    /// That a field is absent or empty.
    pub(super) fn lacks(&self, field: &str) -> String {
        format!("{} has no {field}, which every {} has", self.title, self.kind())
    }

    fn wrong(&self, field: &str, found: &str, expected: &str) -> String {
        format!("{}: {field} is {found}, expected {expected}", self.title)
    }

    fn kind(&self) -> &str {
        self.title.split(' ').next().unwrap_or_default()
    }
}

/// What a value is, as a part of a sentence.
pub(super) const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
