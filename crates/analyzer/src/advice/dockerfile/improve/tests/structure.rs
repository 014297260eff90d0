use super::*;

#[test]
fn modes_and_owners() {
    check(
        Kind::Owner,
        &[
            ("COPY a.sh /a.sh\nRUN chmod 755 /a.sh", "COPY --chmod=755 a.sh /a.sh"),
            (
                "COPY a.sh /bin/\n# run it\nRUN chmod 0755 /bin/a.sh",
                "COPY --chmod=0755 a.sh /bin/\n# run it",
            ),
            (
                "WORKDIR /app\nCOPY . .\nRUN chown -R app:app /app",
                "WORKDIR /app\nCOPY --chown=app:app . .",
            ),
            ("COPY --link a /x\nRUN chown -R 1000 /x", "COPY --chown=1000:0 --link a /x"),
            // Without -R, only the directory itself.
            ("COPY app /app\nRUN chmod 755 /app", ""),
            ("COPY a.sh /a.sh\nRUN chmod 755 /a.sh && b", ""),
            ("COPY a.sh /a.sh\nRUN chmod 755 /b.sh", ""),
            ("COPY a.sh b.sh /x/\nRUN chmod 755 /x/a.sh", ""),
            ("COPY --chmod=700 a.sh /a.sh\nRUN chmod 755 /a.sh", ""),
            ("COPY a.sh /a.sh\nWORKDIR /x\nRUN chmod 755 /a.sh", ""),
        ],
    );
    // What is no octal mode or plain owner is only pointed out.
    for body in ["COPY a.sh /a.sh\nRUN chmod +x /a.sh", "COPY a /x\nRUN chown -R $U /x"] {
        let all = found(&format!("FROM a\n{body}\n"));
        assert_eq!((all.len(), all[0].kind, &all[0].edit), (1, Kind::Owner, &None), "{body}");
    }
}

#[test]
fn what_a_run_makes_is_deleted_in_it() {
    check(
        Kind::SeparateCleanup,
        &[
            (
                "RUN curl -o /tmp/a.tgz x && tar xf /tmp/a.tgz\nRUN rm /tmp/a.tgz",
                "RUN curl -o /tmp/a.tgz x && tar xf /tmp/a.tgz \\\n    && rm /tmp/a.tgz",
            ),
            (
                "RUN apt-get install a\n\n# the lists\nRUN apt-get clean \\\n  && rm -rf /var/lib/apt/lists/*",
                "RUN apt-get install a \\\n# the lists\n    && apt-get clean \\\n  && rm -rf /var/lib/apt/lists/*",
            ),
            ("RUN make /x\nRUN rm /etc/y", ""),
            ("RUN rm /etc/y", ""),
            ("RUN make /x\nRUN rm /x && make", ""),
        ],
    );
    for body in [
        "RUN curl -o /x y\nENV A=b\nRUN rm /x",
        "RUN cd /a && curl -o /x y\nRUN rm /x",
        "RUN curl -o /x y &\nRUN rm /x",
        "RUN curl -o /x y\nRUN rm /x || true",
        "RUN --mount=type=cache,target=/x/y curl -o /x y\nRUN rm /x",
    ] {
        let all = found(&format!("FROM a\n{body}\n"));
        let own = all.iter().find(|own| own.kind == Kind::SeparateCleanup).expect(body);
        assert_eq!(own.edit, None, "{body}");
    }
}

#[test]
fn lists_are_fetched_where_they_are_used() {
    check(
        Kind::SeparateUpdate,
        &[
            (
                "RUN apt-get update\nRUN apt-get install -y a \\\n    b",
                "RUN apt-get update \\\n    && apt-get install -y a \\\n    b",
            ),
            ("RUN apt-get update\nRUN apt-get update && apt-get install a", ""),
            ("RUN apt-get update\nRUN make", ""),
        ],
    );
}

#[test]
fn manifests_come_first() {
    check(
        Kind::CopyOrder,
        &[
            (
                "COPY . .\nRUN npm ci\nRUN npm run build",
                "COPY package*.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build",
            ),
            (
                "WORKDIR /app\nCOPY --chown=1:1 . /app\n# install\nRUN pip install \\\n  -r requirements.txt",
                "WORKDIR /app\nCOPY --chown=1:1 requirements.txt ./\n# install\nRUN pip install \\\n  -r requirements.txt\nCOPY --chown=1:1 . /app",
            ),
            (
                "COPY . .\nRUN go mod download",
                "COPY go.mod go.sum* ./\nRUN go mod download\nCOPY . .",
            ),
            (
                "COPY . .\nRUN bundle install",
                "COPY Gemfile Gemfile.lock* ./\nRUN bundle install\nCOPY . .",
            ),
            (
                "COPY . .\nRUN mvn dependency:go-offline",
                "COPY pom.xml ./\nRUN mvn dependency:go-offline\nCOPY . .",
            ),
            ("COPY package.json ./\nCOPY . .\nRUN npm ci", ""),
            ("COPY package*.json ./\nRUN npm ci\nCOPY . .", ""),
            ("COPY . .\nRUN pip install .", ""),
            ("COPY . .\nRUN npm install -g x", ""),
            ("COPY --from=x . .\nRUN npm ci", ""),
            ("COPY src src\nRUN npm ci", ""),
        ],
    );
    // Something else happens in between, or more is needed.
    for body in [
        "COPY . .\nRUN make\nRUN npm ci",
        "COPY . .\nRUN cargo build",
        "COPY . .\nRUN composer install",
        "COPY . .\nRUN ./prepare && npm ci",
        "COPY . .\nRUN npm ci && npm run build",
        "WORKDIR /a\nCOPY . /b\nRUN npm ci",
    ] {
        let all = found(&format!("FROM a\n{body}\n"));
        let own = all.iter().find(|own| own.kind == Kind::CopyOrder).expect(body);
        assert_eq!(own.edit, None, "{body}");
    }
}

#[test]
fn users_with_high_numbers() {
    check(
        Kind::UserNumber,
        &[
            ("RUN useradd -u 1000000 a", "RUN useradd -l -u 1000000 a"),
            ("RUN a && useradd --uid=200000 a", "RUN a && useradd -l --uid=200000 a"),
            ("RUN useradd -l -u 1000000 a", ""),
            ("RUN useradd -mlu 1000000 a", ""),
            ("RUN useradd -u 1000 a", ""),
            ("RUN useradd a", ""),
        ],
    );
}

#[test]
fn add_and_copy() {
    check(
        Kind::AddInsteadOfCopy,
        &[
            ("ADD a.txt /b", "COPY a.txt /b"),
            ("add --chown=1 . /b", "copy --chown=1 . /b"),
            ("ADD a.tar.gz /b", ""),
            ("ADD https://x/a.txt /b", ""),
            ("ADD $A /b", ""),
            ("ADD rootfs /", ""),
            ("COPY a.txt /b", ""),
        ],
    );
    let text = "FROM a\nADD https://x/y/a.tar.gz /tmp/\nRUN tar -C / -xf /tmp/a.tar.gz\n";
    assert_eq!(kinds(text), [Kind::Archive]);
    assert_eq!(kinds("FROM a\nADD https://x/a.tar.gz /tmp/\nRUN make\n"), []);
    let link = "# syntax=docker/dockerfile:1\nFROM a\nCOPY a /b\nCOPY --link c /d\n";
    assert_eq!(
        fixed(link, Kind::Link),
        "# syntax=docker/dockerfile:1\nFROM a\nCOPY --link a /b\nCOPY --link c /d\n"
    );
    assert_eq!(kinds("FROM a\nCOPY a /b\n"), []);
    assert_eq!(kinds("# syntax=docker/dockerfile:1.2\nFROM a\nCOPY a /b\n"), []);
}
