//! Images made in code, and real runtimes and registries started for tests.
