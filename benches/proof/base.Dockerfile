# What Debian's own image is: the smallest installation, without package files and lists. The
# context brings the machine's way to packages.
FROM proof-root
COPY apt /etc/apt
COPY pip.conf /etc/pip.conf
COPY host-ca.crt /etc/host-ca.crt
RUN apt-get clean && rm -rf /var/lib/apt/lists/* && mkdir -p /var/lib/apt/lists/partial
