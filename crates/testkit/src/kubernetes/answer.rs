//! Answers: lists, what the server says of itself, and errors in the API's own words.

use std::io::Write;

use serde_json::{Value, json};

use super::resource::{Resource, root};

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// 200 with this body.
    pub(super) fn json(body: &Value) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
    }

    /// An error as the API words it.
    pub(super) fn error(status: u16, reason: &str, message: &str) -> Self {
        let mut body = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": status,
        });
        if reason.is_empty() {
            body["reason"] = Value::Null;
        }
        Self { status, ..Self::json(&body) }
    }

    /// The error of a status, for a request of this path.
    pub(super) fn of_status(status: u16, path: &str) -> Self {
        let resource = Resource::of_path(path);
        let plural = resource.map_or("things", |resource| resource.plural);
        let group = resource
            .and_then(|resource| resource.version.split_once('/'))
            .map_or("", |(group, _)| group);
        let name = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
        let forbidden = format!(
            "{name} is forbidden: User \"system:serviceaccount:jettison:prune\" cannot list \
             resource \"{plural}\" in API group \"{group}\" at the cluster scope"
        );
        let (reason, message) = match status {
            401 => ("Unauthorized", "Unauthorized"),
            403 => ("Forbidden", forbidden.as_str()),
            404 => ("NotFound", "the server could not find the requested resource"),
            405 => ("MethodNotAllowed", "the server does not allow this method on the resource"),
            410 => ("Expired", "The provided continue parameter is too old"),
            429 => ("TooManyRequests", "too many requests, please try again later"),
            500 => ("InternalError", "etcdserver: request timed out"),
            503 => ("ServiceUnavailable", "apiserver not ready"),
            _ => ("", "the fake answers so"),
        };
        Self::error(status, reason, message)
    }

    /// What `kubectl` asks for before anything else.
    pub(super) fn discovery(path: &str) -> Option<Self> {
        let groups = ["apps/v1", "batch/v1"].map(|version| {
            let group = version.split('/').next();
            let version = json!({ "groupVersion": version, "version": "v1" });
            json!({ "name": group, "versions": [version], "preferredVersion": version })
        });
        let body = match path {
            "/api" => json!({ "kind": "APIVersions", "versions": ["v1"] }),
            "/apis" => json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }),
            "/version" => json!({ "major": "1", "minor": "33", "gitVersion": "v1.33.1" }),
            _ => {
                let version =
                    ["v1", "apps/v1", "batch/v1"].into_iter().find(|one| root(one) == path)?;
                let of_version = |resource: &Resource| resource.version == version;
                let resources: Vec<Value> = Resource::ALL
                    .into_iter()
                    .filter(of_version)
                    .map(|resource| {
                        json!({
                            "name": resource.plural,
                            "singularName": resource.kind.to_lowercase(),
                            "kind": resource.kind,
                            "namespaced": true,
                            "verbs": ["get", "list"],
                        })
                    })
                    .collect();
                json!({
                    "kind": "APIResourceList",
                    "apiVersion": "v1",
                    "groupVersion": version,
                    "resources": resources,
                })
            }
        };
        Some(Self::json(&body))
    }

    /// With one more header.
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends it, or only so many bytes of its body.
    pub(super) fn send(&self, stream: &mut impl Write, most: usize) -> std::io::Result<()> {
        let Self { status, headers, body } = self;
        write!(
            stream,
            "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n",
            body.len()
        )?;
        for (name, value) in headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        stream.write_all(b"\r\n")?;
        stream.write_all(&body[..body.len().min(most)])?;
        stream.flush()
    }
}
