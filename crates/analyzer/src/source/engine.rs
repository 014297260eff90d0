//! Docker's engine and podman's compatible socket.
