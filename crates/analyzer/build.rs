//! Compiles containerd's interface, as far as we use it, into a client. Without the feature
//! `containerd` nothing is compiled, and no compiler of it is needed.

#[cfg(feature = "containerd")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(
        [
            "containerd/content.proto",
            "containerd/descriptor.proto",
            "containerd/images.proto",
            "containerd/namespaces.proto",
        ],
        ["proto"],
    )?;
    tonic_prost_build::configure()
        .build_server(false)
        // Callers connect through a socket of their own.
        .build_transport(false)
        // A piece of a layer goes to its reader without being copied.
        .bytes(".containerd.services.content.v1.ReadContentResponse.data")
        .include_file("containerd.rs")
        .compile_fds(descriptors)?;
    Ok(())
}

#[cfg(not(feature = "containerd"))]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
