# stands for gcr.io/distroless/python3-debian12
# The packages that the image is published to be made of, unpacked and not installed: no shell of its
# own to speak of, no package manager, the records in status.d.
FROM proof-base AS packages
WORKDIR /packages
RUN apt-get update && apt-get download base-files ca-certificates dash libbz2-1.0 libc6 libcom-err2 libcrypt1 libdb5.3 libexpat1 \
    libffi8 libgcc-s1 libgomp1 libgssapi-krb5-2 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 liblzma5 libncursesw6 \
    libnsl2 libpython3.11-minimal libpython3.11-stdlib libreadline8 libsqlite3-0 libssl3 libstdc++6 libtinfo6 libtirpc3 \
    libuuid1 media-types netbase openssl python3-distutils python3.11-minimal tzdata zlib1g
RUN mkdir -p /out/var/lib/dpkg/status.d \
 && for package in *.deb; do \
        dpkg -x "$package" /out; \
        name=$(dpkg-deb --field "$package" Package); \
        dpkg-deb --field "$package" > "/out/var/lib/dpkg/status.d/$name"; \
        dpkg-deb --ctrl-tarfile "$package" | tar -xO ./md5sums > "/out/var/lib/dpkg/status.d/$name.md5sums" || true; \
    done \
 && ln -s python3.11 /out/usr/bin/python3 && ln -s python3.11 /out/usr/bin/python \
 && mkdir -p /out/etc/ssl/certs /out/home/nonroot /out/root /out/tmp && chmod 1777 /out/tmp \
 && cat /out/usr/share/ca-certificates/*/*.crt > /out/etc/ssl/certs/ca-certificates.crt \
 && printf 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' > /out/etc/passwd \
 && printf 'root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n' > /out/etc/group \
 && printf 'hosts: files dns\n' > /out/etc/nsswitch.conf \
 && rm -rf /out/usr/share/man /out/usr/share/info /out/usr/share/locale && find /out/usr/share/doc -type f ! -name copyright -delete
FROM scratch
COPY --from=packages /out/ /
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
ENTRYPOINT ["/usr/bin/python3.11"]
