//! containerd's own services, read only: when images came, what they are made of, and who else
//! holds that.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use jettison_grpc::containerd::containers::ListContainersRequest;
use jettison_grpc::containerd::containers::containers_client::ContainersClient;
use jettison_grpc::containerd::content::ListContentRequest;
use jettison_grpc::containerd::content::content_client::ContentClient;
use jettison_grpc::containerd::images::ListImagesRequest;
use jettison_grpc::containerd::images::images_client::ImagesClient;
use jettison_grpc::containerd::in_namespace;
use jettison_grpc::containerd::leases::leases_client::LeasesClient;
use jettison_grpc::containerd::leases::{ListRequest, ListResourcesRequest};
use jettison_grpc::containerd::namespaces::ListNamespacesRequest;
use jettison_grpc::containerd::namespaces::namespaces_client::NamespacesClient;
use jettison_grpc::containerd::snapshots::snapshots_client::SnapshotsClient;
use jettison_grpc::containerd::snapshots::{ListSnapshotsRequest, UsageRequest};
use jettison_grpc::containerd::version::version_client::VersionClient;
use jettison_grpc::socket::{MESSAGE_MAX, in_time};
use jiff::Timestamp;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::graph::{Blob, Graph, Record, Snapshot};
use super::{Cri, QUESTIONS};
use crate::error::Result;
use crate::inventory::Image;

/// The namespace that containerd's CRI plugin works in.
const NAMESPACE: &str = "k8s.io";
/// The label by which the CRI plugin pins a record.
const PIN_LABEL: &str = "io.cri-containerd.pinned";

/// containerd's own services, on the socket that serves the interface.
pub(super) struct Native {
    channel: Channel,
}

impl Native {
    /// Asks whether containerd answers; `None` where something else serves the interface.
    pub(super) fn connect(cri: &Cri) -> Result<Option<Self>> {
        let native = Self { channel: cri.channel.clone() };
        let mut client = VersionClient::new(native.channel.clone());
        match cri.threads.block_on(in_time(client.version(()))) {
            Ok(_) => Ok(Some(native)),
            Err(status) if status.code() == Code::Unimplemented => Ok(None),
            Err(status) => Err(cri.told("containerd's version", &status)),
        }
    }

    /// Everything that containerd holds, and what holds what.
    pub(super) fn graph(&self, cri: &Cri) -> Result<Graph> {
        let read = cri.threads.block_on(self.read());
        read.map_err(|status| cri.told("what containerd holds", &status))
    }

    async fn read(&self) -> Result<Graph, Status> {
        let records = self.records().await?;
        let blobs = self.blobs(NAMESPACE).await?;
        let snapshotters: BTreeSet<String> = blobs.iter().flat_map(Blob::snapshotters).collect();
        let mut snapshots = Vec::new();
        for snapshotter in snapshotters {
            snapshots.extend(self.snapshots(&snapshotter).await?);
        }
        let mut graph = Graph::new(records, blobs, snapshots);
        for (_, _, snapshotter, key) in self.container_records().await? {
            graph.hold_snapshot(&snapshotter, &key);
        }
        for (kind, id) in self.leased().await? {
            graph.hold_resource(&kind, &id);
        }
        // Namespaces see their own records only, and share the blobs on the disk.
        let mut client = NamespacesClient::new(self.channel.clone());
        let listed = in_time(client.list(ListNamespacesRequest {})).await?.into_inner();
        for namespace in listed.namespaces.iter().filter(|one| one.name != NAMESPACE) {
            for blob in self.blobs(&namespace.name).await? {
                graph.hold_blob(&blob.digest);
            }
        }
        Ok(graph)
    }

    async fn records(&self) -> Result<Vec<Record>, Status> {
        let client = ImagesClient::new(self.channel.clone());
        let mut client = client.max_decoding_message_size(MESSAGE_MAX);
        let request = request(NAMESPACE, ListImagesRequest { filters: Vec::new() })?;
        let listed = in_time(client.list(request)).await?.into_inner();
        let record = |image: jettison_grpc::containerd::images::Image| Record {
            target: image.target.map(|target| target.digest).unwrap_or_default(),
            created: image
                .created_at
                .and_then(|time| Timestamp::new(time.seconds, time.nanos).ok()),
            is_pinned: image.labels.get(PIN_LABEL).is_some_and(|value| value == "pinned"),
            name: image.name,
        };
        Ok(listed.images.into_iter().map(record).collect())
    }

    async fn blobs(&self, namespace: &str) -> Result<Vec<Blob>, Status> {
        let client = ContentClient::new(self.channel.clone());
        let mut client = client.max_decoding_message_size(MESSAGE_MAX);
        let request = request(namespace, ListContentRequest { filters: Vec::new() })?;
        in_time(async move {
            let mut messages = client.list(request).await?.into_inner();
            let mut blobs = Vec::new();
            while let Some(message) = messages.message().await? {
                blobs.extend(message.info.into_iter().map(|info| Blob {
                    digest: info.digest,
                    bytes: u64::try_from(info.size).unwrap_or_default(),
                    labels: info.labels,
                }));
            }
            Ok(blobs)
        })
        .await
    }

    async fn snapshots(&self, snapshotter: &str) -> Result<Vec<Snapshot>, Status> {
        let client = SnapshotsClient::new(self.channel.clone());
        let client = client.max_decoding_message_size(MESSAGE_MAX);
        let mut lister = client.clone();
        let asked =
            ListSnapshotsRequest { snapshotter: snapshotter.to_owned(), filters: Vec::new() };
        let asked = request(NAMESPACE, asked)?;
        let infos = in_time(async move {
            let mut messages = lister.list(asked).await?.into_inner();
            let mut infos = Vec::new();
            while let Some(message) = messages.message().await? {
                infos.extend(message.info);
            }
            Ok(infos)
        })
        .await?;
        let usage = |info: jettison_grpc::containerd::snapshots::Info| {
            let mut client = client.clone();
            async move {
                let asked =
                    UsageRequest { snapshotter: snapshotter.to_owned(), key: info.name.clone() };
                let bytes = match in_time(client.usage(request(NAMESPACE, asked)?)).await {
                    Ok(usage) => u64::try_from(usage.into_inner().size).unwrap_or_default(),
                    // It went while we asked.
                    Err(status) if status.code() == Code::NotFound => 0,
                    Err(status) => return Err(status),
                };
                Ok(Snapshot {
                    snapshotter: snapshotter.to_owned(),
                    is_root: info.labels.contains_key("containerd.io/gc.root"),
                    name: info.name,
                    parent: info.parent,
                    bytes,
                })
            }
        };
        stream::iter(infos.into_iter().map(usage)).buffered(QUESTIONS).try_collect().await
    }

    /// ID, image, snapshotter and snapshot of each container that containerd has a record of.
    async fn container_records(&self) -> Result<Vec<(String, String, String, String)>, Status> {
        let client = ContainersClient::new(self.channel.clone());
        let mut client = client.max_decoding_message_size(MESSAGE_MAX);
        let request = request(NAMESPACE, ListContainersRequest { filters: Vec::new() })?;
        let listed = in_time(client.list(request)).await?.into_inner();
        let fields = |one: jettison_grpc::containerd::containers::Container| {
            (one.id, one.image, one.snapshotter, one.snapshot_key)
        };
        Ok(listed.containers.into_iter().map(fields).collect())
    }

    /// What leases keep: kind and ID.
    async fn leased(&self) -> Result<Vec<(String, String)>, Status> {
        let mut client = LeasesClient::new(self.channel.clone());
        let asked = request(NAMESPACE, ListRequest { filters: Vec::new() })?;
        let leases = in_time(client.list(asked)).await?.into_inner().leases;
        let mut resources = Vec::new();
        for lease in leases {
            let asked = request(NAMESPACE, ListResourcesRequest { id: lease.id })?;
            match in_time(client.list_resources(asked)).await {
                Ok(listed) => {
                    let listed = listed.into_inner().resources;
                    resources.extend(listed.into_iter().map(|one| (one.r#type, one.id)));
                }
                // It ended while we asked.
                Err(status) if status.code() == Code::NotFound => {}
                Err(status) => return Err(status),
            }
        }
        Ok(resources)
    }

    /// ID and image of each container, sandboxes among them.
    pub(super) fn containers(&self, cri: &Cri) -> Result<Vec<(String, String)>> {
        let read = cri.threads.block_on(self.container_records());
        let records = read.map_err(|status| cri.told("containerd's containers", &status))?;
        let named = records.into_iter().map(|(id, image, ..)| (id, image));
        Ok(named.filter(|(_, image)| !image.is_empty()).collect())
    }

    /// The names of the records that an image still has.
    pub(super) fn names_left(&self, cri: &Cri, image: &Image) -> Result<Vec<String>> {
        let records = cri
            .threads
            .block_on(self.records())
            .map_err(|status| cri.told("containerd's records", &status))?;
        let is_its = |record: &Record| {
            record.name == image.id.as_str() || image.names().any(|name| name == record.name)
        };
        Ok(records.into_iter().filter(is_its).map(|record| record.name).collect())
    }
}

/// A message meant in a namespace.
fn request<T>(namespace: &str, message: T) -> Result<Request<T>, Status> {
    in_namespace(namespace, message)
        .ok_or_else(|| Status::invalid_argument(format!("no namespace is called {namespace:?}")))
}
