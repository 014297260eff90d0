//! What no parser of this crate goes past, each limit with its reason.

/// A manifest, index or config: the distribution spec asks registries to accept 4 MiB manifests,
/// and no config of a real image comes near it.
pub const DOCUMENT_MAX: u64 = 4 << 20;
/// How deep indexes may nest. Real ones nest once.
pub const INDEX_DEPTH_MAX: usize = 4;
/// Nested indexes read for one image: at a registry, each is a request.
pub const INDEXES_MAX: usize = 1024;
/// Descriptors of one index or manifest. Runtimes refuse images with more than about 125 layers.
pub const DESCRIPTORS_MAX: usize = 1024;
/// Extension data (PAX records, GNU long names) of one tar entry.
pub const EXTENSION_MAX: u64 = 1 << 20;
/// Extension headers before one entry. A correct writer needs three, runtimes take any number: all
/// but the last of a kind are read and dropped.
pub const EXTENSIONS_PENDING_MAX: u32 = 10_000;
/// PAX global headers of one tar, which are read and dropped. `git archive` writes one, GNU tar one
/// a volume.
pub const GLOBALS_MAX: u32 = 1_000_000;
/// Extended attributes of one entry. Linux lists at most 64 KiB of names for a file, and
/// `user.a` is one of the shortest: 9,362 of them.
pub const XATTRS_MAX: usize = 10_000;
/// A path in a layer. Linux stops at 4,096 for one system call, tars may carry longer ones.
pub const PATH_MAX: usize = 32 << 10;
/// Components of a path: bounds the work of one entry.
pub const PATH_DEPTH_MAX: usize = 1024;
/// Entries of one layer: ten times the largest image known to us.
pub const ENTRIES_MAX: usize = 20_000_000;
/// Bytes of all names, links and xattrs of one layer: they are addressed by 32 bits.
pub const NAMES_MAX: usize = u32::MAX as usize;
/// What the index of a layer keeps beside its fixed records (80 bytes an entry): names, links,
/// attributes, sparse maps. With [`ENTRIES_MAX`] and [`EXPANSION_FLOOR`] this bounds the memory
/// that a small blob can ask for: a tar of 1 GiB of headers, which may come from a blob of 1 MB,
/// holds 2 million entries with nothing beside them, or 700,000 with names of 1 KiB.
pub const INDEX_FLOOR: usize = 64 << 20;
/// The same for each entry, on average. Paths of real layers have 60 to 150 bytes, a signature
/// (`security.ima`) has about 500.
pub const INDEX_PER_ENTRY: usize = 1 << 10;
/// Directories that the entries of an image only imply by paths below, however few entries.
pub const IMPLIED_FLOOR: usize = 1_000_000;
/// The same for each entry. Real layers that leave their directories out imply one or two for a
/// file; a hostile path of [`PATH_DEPTH_MAX`] names implies a thousand from few compressed bytes.
pub const IMPLIED_PER_ENTRY: usize = 16;
/// Data runs of one sparse file.
pub const SPARSE_RUNS_MAX: usize = 100_000;
/// The map that stands before the data of a sparse file: two numbers of up to 20 digits for each
/// of [`SPARSE_RUNS_MAX`] fit. Go reads 1 MiB since 1.25.2, and any map before.
pub const SPARSE_MAP_MAX: u64 = 5 << 20;
/// Holes of a sparse file that are hashed as the zeros they stand for; beyond it the map of the
/// file is hashed instead, so that such a file equals only its exact like.
pub const HOLES_HASHED_MAX: u64 = 4 << 30;
/// The same as a multiple of what the tar stores of the file: bounds the hashing that a small
/// layer of many sparse files can ask for.
pub const HOLES_RATIO_MAX: u64 = 256;
/// Target of a symlink that is followed: Linux makes no longer ones.
pub const LINK_MAX: usize = 4095;
/// Symlinks followed while one path of a layer is placed.
pub const SYMLINKS_MAX: usize = 40;
/// A decompressed layer may always grow to this size, whatever its ratio.
pub const EXPANSION_FLOOR: u64 = 1 << 30;
/// How many times its compressed size a layer may expand, past [`EXPANSION_FLOOR`], unless the
/// caller says otherwise. Real layers stay below 20; gzip itself can reach 1,032.
pub const EXPANSION_MAX: u64 = 200;
/// Members of an archive.
pub const MEMBERS_MAX: usize = 100_000;
/// Documents of a streamed archive that are kept in memory, all together.
pub const STREAM_DOCUMENTS_MAX: u64 = 64 << 20;
/// One line of a tar-split: the headers, extension data and padding between two files, in base64.
pub const TAR_SPLIT_LINE_MAX: u64 = 32 << 20;
/// A storage driver's list of its layers or images.
pub const STORE_LIST_MAX: u64 = 64 << 20;
/// Warnings kept of one image; the rest are counted.
pub const WARNINGS_MAX: usize = 100;
/// Different words of one shell script.
pub const SHELL_WORDS_MAX: usize = 20_000;
/// A word of a shell script: a program behind `perl -e` has some hundred bytes, a path fewer.
pub const SHELL_WORD_MAX: usize = 4096;
/// Command lines of one shell script that are kept.
pub const SHELL_LINES_MAX: usize = 2_000;
/// Words of one of them.
pub const SHELL_ARGUMENTS_MAX: usize = 500;
/// Commands inside commands, and variables inside variables.
pub const SHELL_NESTING_MAX: usize = 6;
/// Here-documents inside each other, and behind one line.
pub const SHELL_DOCUMENTS_MAX: usize = 4;
/// How often the end of a here-document is looked for that does not come.
pub const SHELL_MISSING_MAX: usize = 64;
/// Values that one variable has in different places.
pub const SHELL_VALUES_MAX: usize = 8;
/// Texts made by putting variables into the words of one script.
pub const SHELL_EXPANSIONS_MAX: usize = 50_000;
/// Words that one `eval` of a script is followed through.
pub const SHELL_STEPS_MAX: usize = 2_000;
/// Modules, files and names that one file of a program names.
pub const NAMES_OF_FILE_MAX: usize = 10_000;
/// One such name.
pub const NAME_OF_FILE_MAX: usize = 1024;
/// Rows of one configuration: command lines, modules, paths.
pub const CONFIGURATION_ROWS_MAX: usize = 10_000;
/// Files that are taken at once from below one directory: a JRE has some hundred, an application
/// of PHP some ten thousand.
pub const BELOW_MAX: usize = 200_000;
/// Entries of one Java archive: the largest of a JDK has 30,000.
pub const ARCHIVE_ENTRIES_MAX: usize = 200_000;
/// Archives inside archives: a library in a war in an ear is of the third.
pub const ARCHIVE_DEPTH_MAX: usize = 3;
/// Archives inside one, those inside them included: Spring's have some hundreds.
pub const ARCHIVE_NESTED_MAX: usize = 5_000;
/// Maven's notes in one archive, inner ones included: one for each library.
pub const ARCHIVE_POMS_MAX: usize = 5_000;
/// A manifest's front. Its main section has a kilobyte or two; the class path of an archive that
/// names hundreds of others takes more.
pub const ARCHIVE_MANIFEST_MAX: u64 = 256 << 10;
/// What is read of one archive's contents, of inner ones as well: entries may overlap, and inflate
/// to a thousand times their size.
pub const ARCHIVE_READ_MAX: u64 = 32 << 20;
/// rpm's package database, which is held twice while it is read. A full desktop's takes 150 MB, that
/// of an image with a thousand packages 40.
pub const RPM_DATABASE_MAX: u64 = 128 << 20;
/// Names of files and relations that are kept of one such database.
pub const RPM_NAMES_MAX: usize = 2_000_000;
/// Steps that `SQLite` may take to read one: a hundred for each of a hundred thousand packages.
pub const RPM_STEPS_MAX: u32 = 10_000_000;
/// Pages of slots of an ndb database: 256 packages each.
pub const RPM_SLOT_PAGES_MAX: usize = 2048;
/// Packages of one image, of all kinds. The largest known to us has ten thousand.
pub const PACKAGES_MAX: usize = 100_000;
/// Directories that are looked into for what Node packages depend on: ten thousand of them with
/// twenty dependencies each, a hundred directories down.
pub const NODE_STEPS_MAX: u32 = 20_000_000;
/// Packages that are taken for one name in a dependency. Real ones have two or three.
pub const PROVIDERS_MAX: usize = 16;
