//! Compiles the interfaces of container runtimes, as far as we use them, into clients.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(
        [
            "containerd/containers.proto",
            "containerd/content.proto",
            "containerd/descriptor.proto",
            "containerd/images.proto",
            "containerd/leases.proto",
            "containerd/namespaces.proto",
            "containerd/snapshots.proto",
            "containerd/version.proto",
            "cri/runtime.proto",
        ],
        ["proto"],
    )?;
    tonic_prost_build::configure()
        .build_server(false)
        // Callers connect through a socket of their own.
        .build_transport(false)
        // A piece of a layer goes to its reader without being copied.
        .bytes(".containerd.services.content.v1.ReadContentResponse.data")
        .include_file("interfaces.rs")
        .compile_fds(descriptors)?;
    Ok(())
}
