package dev.caplance.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * An {@code ip} for tests without root: the addresses of {@code eth0} and {@code eth1} are files,
 * and what is to be done with an address that is marked as failing fails.
 */
final class FakeIp {

  private static final String SCRIPT =
      """
      #!/bin/sh
      cd "$(dirname "$0")" || exit 9
      shift
      case "$1 $2" in
        "-json address")
          separator=[
          for device in eth0 eth1; do
            printf '%s{"ifname":"%s","flags":["UP"],"mtu":1500,"addr_info":[' "$separator" "$device"
            separator=
            for file in "$device"/*; do
              [ -f "$file" ] || continue
              cidr=$(cat "$file")
              printf '%s{"local":"%s","prefixlen":%s}' "$separator" "${cidr%/*}" "${cidr#*/}"
              separator=,
            done
            printf ']}'
            separator=,
          done
          echo ]
          ;;
        "address add"|"address delete")
          file=$5/$(echo "$3" | tr / _)
          echo "$2 $3 $5" >> log
          if [ -f "failing/$(echo "$3" | tr / _)" ]; then
            echo "Error: no such luck." >&2
            exit 2
          fi
          if [ "$2" = add ]; then echo "$3" > "$file"; else rm "$file"; fi
          ;;
      esac
      """;

  private final Path directory;

  FakeIp(Path directory) throws IOException {
    this.directory = directory;
    for (String name : List.of("eth0", "eth1", "failing")) {
      Files.createDirectory(directory.resolve(name));
    }
    Files.writeString(directory.resolve("ip"), SCRIPT);
    Files.setPosixFilePermissions(
        directory.resolve("ip"), PosixFilePermissions.fromString("rwx------"));
    put("eth0", "10.0.0.2/24");
    put("eth1", "fd00::2/64");
  }

  CommandRunner commands() {
    return new CommandRunner(List.of(directory.resolve("ip").toString()), Duration.ofSeconds(60));
  }

  void put(String device, String cidr) throws IOException {
    Files.writeString(file(device, cidr), cidr);
  }

  void delete(String device, String cidr) throws IOException {
    Files.delete(file(device, cidr));
  }

  /** From now on, this address can be neither added nor deleted. */
  void fail(String cidr) throws IOException {
    Files.createFile(file("failing", cidr));
  }

  void mend(String cidr) throws IOException {
    Files.delete(file("failing", cidr));
  }

  List<String> addresses(String device) throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve(device))) {
      return files.map(file -> file.getFileName().toString().replace('_', '/')).sorted().toList();
    }
  }

  /** The changes that were tried, as {@code add 10.0.0.50/32 eth0}. */
  List<String> log() throws IOException {
    Path log = directory.resolve("log");
    return Files.exists(log) ? Files.readAllLines(log) : List.of();
  }

  private Path file(String directoryName, String cidr) {
    return directory.resolve(directoryName).resolve(cidr.replace('/', '_'));
  }
}
