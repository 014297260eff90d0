//! gRPC over the sockets of a node: containerd's own services, and the Container Runtime Interface
//! that containerd, CRI-O and cri-dockerd serve. The messages are generated from `proto`, which
//! holds the calls and fields that we use.

pub mod socket;

#[allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used
)]
mod interfaces {
    include!(concat!(env!("OUT_DIR"), "/interfaces.rs"));
}

/// containerd's own services.
pub mod containerd {
    pub use crate::interfaces::containerd::services::containers::v1 as containers;
    pub use crate::interfaces::containerd::services::content::v1 as content;
    pub use crate::interfaces::containerd::services::images::v1 as images;
    pub use crate::interfaces::containerd::services::leases::v1 as leases;
    pub use crate::interfaces::containerd::services::namespaces::v1 as namespaces;
    pub use crate::interfaces::containerd::services::snapshots::v1 as snapshots;
    pub use crate::interfaces::containerd::services::version::v1 as version;

    use tonic::Request;
    use tonic::metadata::{Ascii, MetadataValue};

    /// `message` with the header that says in which namespace it is meant; `None` for a name that
    /// no namespace can have.
    pub fn in_namespace<T>(namespace: &str, message: T) -> Option<Request<T>> {
        let value: MetadataValue<Ascii> = namespace.parse().ok()?;
        let mut request = Request::new(message);
        request.metadata_mut().insert("containerd-namespace", value);
        Some(request)
    }
}

/// The Container Runtime Interface, version 1.
pub mod cri {
    pub use crate::interfaces::runtime::v1::*;
}
