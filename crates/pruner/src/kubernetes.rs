//! Pods and workloads by the word of a Kubernetes API server.
