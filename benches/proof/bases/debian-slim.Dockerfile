# stands for debian:bookworm-slim
# The smallest installation, without what Debian's slim images leave out. It reaches packages as the
# machine does, because it starts from the base of the proof.
FROM proof-base AS full
RUN rm -rf /usr/share/info/* /usr/share/man/* /usr/share/linda/* /usr/share/lintian/overrides/* /usr/share/omf/* \
 && mkdir -p /usr/share/man/man1 /usr/share/man/man2 /usr/share/man/man3 /usr/share/man/man4 /usr/share/man/man5 /usr/share/man/man6 /usr/share/man/man7 /usr/share/man/man8 \
 && find /usr/share/doc -type f ! -name copyright -delete \
 && find /usr/share/doc -type l ! -name copyright -delete \
 && find /usr/share/locale -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} + \
 && rm -rf /var/cache/apt/archives/*.deb /var/cache/apt/*.bin /var/lib/apt/lists/* /var/cache/debconf/*-old
# So are they set, too: what is installed later has no documents either, and leaves no caches.
RUN { for path in '/usr/share/doc/*' '/usr/share/info/*' '/usr/share/linda/*' '/usr/share/lintian/overrides/*' \
        '/usr/share/locale/*' '/usr/share/man/*' '/usr/share/omf/*'; do echo "path-exclude $path"; done; \
      echo 'path-include /usr/share/doc/*/copyright'; echo 'path-include /usr/share/locale/locale.alias'; \
    } > /etc/dpkg/dpkg.cfg.d/slim \
 && { echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };'; \
      echo 'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";'; \
    } > /etc/apt/apt.conf.d/slim-clean
FROM scratch
COPY --from=full / /
CMD ["bash"]
