//! The images that something will name in the pods that it makes: a Deployment of no replicas, a
//! `CronJob` until its hour.

use serde_json::Value;

use super::field::Object;
use super::spec::{self, Of};
use crate::cluster::Template;

/// A kind of object that makes pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `apps/v1`.
    Deployment,
    /// `apps/v1`.
    StatefulSet,
    /// `apps/v1`.
    DaemonSet,
    /// `apps/v1`. A Deployment keeps those of its last revisions, for going back.
    ReplicaSet,
    /// `batch/v1`.
    CronJob,
    /// `batch/v1`.
    Job,
    /// `v1`.
    ReplicationController,
}

impl Kind {
    /// All of them, each before what it makes: one that makes another while they are read one
    /// after the other is seen once at least.
    pub const ALL: [Self; 7] = [
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::ReplicaSet,
        Self::CronJob,
        Self::Job,
        Self::ReplicationController,
    ];

    /// As the API spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::CronJob => "CronJob",
            Self::Job => "Job",
            Self::ReplicationController => "ReplicationController",
        }
    }
}

/// Reads `value`, an object of this kind as the Kubernetes API shows it.
pub fn of(kind: Kind, value: &Value) -> Result<Template, String> {
    let object = Object::open(kind.name(), value)?;
    let mut at = value;
    let mut path = String::new();
    let way: &[&str] = match kind {
        Kind::CronJob => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => &["spec", "template", "spec"],
    };
    let mut mentions = Vec::new();
    for step in way {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(step);
        // A controller may have been made without a template: it makes no pods.
        if kind == Kind::ReplicationController
            && *step == "template"
            && object.object(at, step, &path)?.is_none()
        {
            return Ok(template(kind, object, mentions));
        }
        at = object.required(at, step, &path)?;
    }
    mentions = spec::mentions(&object, at, &path, Of::Template)?;
    Ok(template(kind, object, mentions))
}

fn template(kind: Kind, object: Object<'_>, mentions: Vec<crate::cluster::Mention>) -> Template {
    Template { kind: kind.name().into(), namespace: object.namespace, name: object.name, mentions }
}

#[cfg(test)]
mod tests;
