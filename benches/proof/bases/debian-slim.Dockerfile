# stands for debian:bookworm-slim
# The smallest installation, without what Debian's slim images leave out. It reaches packages as the
# machine does, because it starts from the base of the proof.
FROM proof-base AS full
RUN rm -rf /usr/share/info/* /usr/share/man/* /usr/share/linda/* /usr/share/lintian/overrides/* /usr/share/omf/* \
 && find /usr/share/doc -type f ! -name copyright -delete \
 && find /usr/share/doc -type l ! -name copyright -delete \
 && find /usr/share/locale -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} + \
 && rm -rf /var/cache/apt/archives/*.deb /var/cache/apt/*.bin /var/lib/apt/lists/* /var/cache/debconf/*-old
FROM scratch
COPY --from=full / /
CMD ["bash"]
