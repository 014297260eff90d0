use super::*;

#[test]
fn recommended_packages() {
    check(
        Kind::Recommends,
        &[
            ("RUN apt-get install -y a", "RUN apt-get install --no-install-recommends -y a"),
            (
                "RUN x && \\\n  apt-get -qq \\\n  install a",
                "RUN x && \\\n  apt-get -qq \\\n  install --no-install-recommends a",
            ),
            ("run apt install a", "run apt install --no-install-recommends a"),
            ("RUN apt-get install --no-install-recommends a", ""),
            ("RUN apt-get -o APT::Install-Recommends=0 install a", ""),
            (
                "RUN echo 'APT::Install-Recommends 0;' > /etc/apt/apt.conf.d/x\nRUN apt-get install a",
                "",
            ),
            ("RUN echo apt-get install a", ""),
            ("RUN apt-get remove a", ""),
        ],
    );
}

#[test]
fn lists_of_apt() {
    check(
        Kind::PackageCache,
        &[
            (
                "RUN apt-get update && apt-get install a",
                "RUN apt-get update && apt-get install a && rm -rf /var/lib/apt/lists/*",
            ),
            (
                "RUN apt-get update \\\n  && apt-get install a \\\n  # last\n  b",
                "RUN apt-get update \\\n  && apt-get install a \\\n  # last\n  b \\\n  && rm -rf /var/lib/apt/lists/*",
            ),
            ("RUN apt-get update && apt-get install a && rm -rf /var/lib/apt/lists/*", ""),
            ("RUN apt-get update && apt-get install a; rm -r \"/var/lib/apt/lists\"", ""),
            ("RUN --mount=type=cache,target=/var/lib/apt apt-get update && apt-get install a", ""),
            ("RUN --mount=type=tmpfs,dst=/var/lib/apt/lists apt-get update", ""),
            ("RUN apt-get install a", ""),
        ],
    );
    // Where BuildKit builds, the lists are kept for the next build.
    let text = "FROM a\nRUN --mount=type=bind,target=/x apt-get update\n";
    assert_eq!(
        fixed(text, Kind::PackageCache),
        "FROM a\nRUN --mount=type=bind,target=/x --mount=type=cache,target=/var/cache/apt,sharing=locked \\\n    \
         --mount=type=cache,target=/var/lib/apt,sharing=locked \\\n    apt-get update\n"
    );
}

#[test]
fn lists_that_a_later_run_needs_are_only_pointed_out() {
    let text = "FROM a\nRUN apt-get update && apt-get install b\nRUN apt-get install c\n";
    let own = found(text).into_iter().find(|own| own.kind == Kind::PackageCache).unwrap();
    assert_eq!(own.edit, None);
    let ends_open = "FROM a\nRUN apt-get update && apt-get install b # yes\n";
    let own = found(ends_open).into_iter().find(|own| own.kind == Kind::PackageCache).unwrap();
    assert_eq!(own.edit, None);
}

#[test]
fn heredocs_keep_their_exit_status() {
    let text = "FROM a\nRUN <<EOF\napt-get update\napt-get install a\nmake\nEOF\n";
    assert_eq!(
        fixed(&text.replace("a\nmake", "a"), Kind::Recommends),
        "FROM a\nRUN <<EOF\napt-get update\napt-get install --no-install-recommends a\nEOF\n"
    );
    let dnf = "FROM a\nUSER x\nRUN <<EOF\nyum install a\nmake\nEOF\n";
    assert_eq!(
        fixed(dnf, Kind::PackageCache),
        "FROM a\nUSER x\nRUN <<EOF\nyum install a && yum clean all && rm -rf /var/cache/yum\nmake\nEOF\n"
    );
}

#[test]
fn caches_of_languages_and_other_systems() {
    check(
        Kind::PackageCache,
        &[
            ("RUN pip install -r r.txt", "RUN pip install --no-cache-dir -r r.txt"),
            ("RUN python3 -m pip install a", "RUN python3 -m pip install --no-cache-dir a"),
            (
                "RUN pip3.12 install a && pip install b",
                "RUN pip3.12 install --no-cache-dir a && pip install --no-cache-dir b",
            ),
            ("ENV PIP_NO_CACHE_DIR=1\nRUN pip install a", ""),
            ("RUN PIP_NO_CACHE_DIR=1 pip install a", ""),
            ("RUN pip install a && rm -rf ~/.cache", ""),
            ("RUN pip install --no-cache-dir a", ""),
            ("RUN pip download a", ""),
            ("RUN apk add a", "RUN apk add --no-cache a"),
            ("RUN apk --no-cache add a", ""),
            ("RUN apk add a && rm -rf /var/cache/apk/*", ""),
            ("RUN dnf install -y a", "RUN dnf install -y a && dnf clean all"),
            ("RUN microdnf -y install a", "RUN microdnf -y install a && microdnf clean all"),
            ("RUN dnf install -y a && dnf clean all", ""),
            ("RUN yum -y update", "RUN yum -y update && yum clean all && rm -rf /var/cache/yum"),
            ("RUN zypper -n in a", "RUN zypper -n in a && zypper clean --all"),
            ("RUN npm ci", "RUN npm ci && npm cache clean --force"),
            ("RUN npm i -g a && npm cache clean --force", ""),
            ("RUN yarn", "RUN yarn && yarn cache clean"),
            ("RUN yarn build", ""),
            ("RUN conda env create -f e.yml", "RUN conda env create -f e.yml && conda clean -afy"),
            ("RUN mamba install a && mamba clean -afy", ""),
        ],
    );
    let mounted =
        "# syntax=docker/dockerfile:1\nFROM a\nRUN pip install a\nUSER 1000\nRUN pip install b\n";
    assert_eq!(
        fixed(mounted, Kind::PackageCache),
        "# syntax=docker/dockerfile:1\nFROM a\nRUN --mount=type=cache,target=/root/.cache/pip \\\n    \
         pip install a\nUSER 1000\nRUN pip install --no-cache-dir b\n"
    );
    let old = "# syntax=docker/dockerfile:1.1\nFROM a\nRUN pip install a\n";
    assert!(fixed(old, Kind::PackageCache).contains("--no-cache-dir"));
}

#[test]
fn development_packages() {
    check(
        Kind::DevelopmentPackages,
        &[
            ("RUN npm ci", "RUN npm ci --omit=dev"),
            ("RUN npm install --no-audit", "RUN npm install --omit=dev --no-audit"),
            ("RUN npm ci\nRUN npm run build", ""),
            ("RUN npm ci && npx tsc", ""),
            ("RUN npm ci\nCMD [\"npm\", \"run\", \"dev\"]", ""),
            ("RUN npm ci\nRUN [\"make\"]", ""),
            ("ENV NODE_ENV=production\nRUN npm ci", ""),
            ("RUN npm ci --only=production", ""),
            ("RUN npm install express", ""),
            (
                "RUN yarn install --frozen-lockfile",
                "RUN yarn install --production --frozen-lockfile",
            ),
            ("RUN yarn", "RUN yarn --production"),
            ("RUN yarn install --immutable", ""),
            ("RUN composer install -n", "RUN composer install --no-dev -n"),
            ("RUN composer install --no-dev", ""),
            (
                "RUN x && bundle install",
                "RUN x && bundle config set --local without 'development test' && bundle install",
            ),
            ("ENV BUNDLE_WITHOUT=\"development:test\"\nRUN bundle install", ""),
            ("RUN bundle config set without test && bundle install", ""),
        ],
    );
    check(
        Kind::Documentation,
        &[("RUN gem install a", "RUN gem install --no-document a"), ("RUN gem install -N a", "")],
    );
}

#[test]
fn build_caches_where_buildkit_builds() {
    check(Kind::BuildCache, &[("RUN go build ./...", ""), ("RUN cargo build", "")]);
    let go = "# syntax=docker/dockerfile:1\nFROM a\nRUN CGO_ENABLED=0 go build .\n";
    assert_eq!(
        fixed(go, Kind::BuildCache),
        "# syntax=docker/dockerfile:1\nFROM a\nRUN --mount=type=cache,target=/go/pkg/mod \\\n    \
         --mount=type=cache,target=/root/.cache/go-build \\\n    CGO_ENABLED=0 go build .\n"
    );
    let cargo = "# syntax=docker/dockerfile:1\nFROM a\nRUN cargo build --release\n";
    assert!(fixed(cargo, Kind::BuildCache).contains("target=/usr/local/cargo/registry"));
}
