package dev.caplance.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class MessageCodecTest {

  static Stream<Arguments> lines() {
    return Stream.of(
        Arguments.of(
            "REGISTER web-1 10.0.0.11",
            new Message.Register("web-1", IpAddresses.parse("10.0.0.11"), Map.of())),
        Arguments.of(
            "REGISTER web-1 2001:db8::11 version=2 health=5s intent=draining",
            Message.Register.of(
                "web-1",
                IpAddresses.parse("2001:db8::11"),
                Duration.ofSeconds(5),
                Intent.DRAINING)),
        Arguments.of(
            "REGISTER A.b_c-9 ::1 mtu=9000 colour weight=3",
            new Message.Register(
                "A.b_c-9",
                IpAddresses.parse("::1"),
                options("mtu", "9000", "colour", "", "weight", "3"))),
        Arguments.of(
            "REGISTER web-1 10.0.0.11 version=2 health=5s intent=active services=web weight=3"
                + " mtu=1400",
            Message.Register.of(
                    "web-1", IpAddresses.parse("10.0.0.11"), Duration.ofSeconds(5), Intent.ACTIVE)
                .withServices(Set.of("web"))
                .withWeight(3)
                .withMtu(1400)),
        Arguments.of("SANE Ab_-9", new Message.Sane("Ab_-9")),
        Arguments.of(
            "REGISTERED web-1 10.0.0.11",
            new Message.Registered("web-1", IpAddresses.parse("10.0.0.11"), Map.of())),
        Arguments.of(
            "REGISTERED web-1 10.0.0.11 version=2 from=10.0.0.2",
            Message.Registered.of(
                "web-1", IpAddresses.parse("10.0.0.11"), IpAddresses.parse("10.0.0.2"))),
        Arguments.of(
            "REGISTER web-1 10.0.0.11 version=2 health=5s intent=active probe=1",
            Message.Register.of(
                    "web-1", IpAddresses.parse("10.0.0.11"), Duration.ofSeconds(5), Intent.ACTIVE)
                .withProbe()),
        Arguments.of(
            "REGISTERED web-1 10.0.0.11 version=2 from=10.0.0.2 probe=2s",
            Message.Registered.of(
                    "web-1", IpAddresses.parse("10.0.0.11"), IpAddresses.parse("10.0.0.2"))
                .withProbeInterval(Duration.ofSeconds(2))),
        Arguments.of(
            "SERVES web-1 vips=192.0.2.80,2001:db8::80",
            new Message.Serves(
                "web-1",
                List.of(IpAddresses.parse("192.0.2.80"), IpAddresses.parse("2001:db8::80")))),
        Arguments.of("SERVING web-1 services=2", Message.Serving.of("web-1", 2, List.of())),
        Arguments.of(
            "SERVING web-1 services=0 unknown=wbe,mial",
            Message.Serving.of("web-1", 0, List.of("wbe", "mial"))),
        Arguments.of("HEALTH 200", new Message.Health(200, "")),
        Arguments.of(
            "HEALTH 503 connection refused:  tcp/80",
            new Message.Health(503, "connection refused:  tcp/80")),
        Arguments.of("HEALTHACK 200", new Message.HealthAck()),
        Arguments.of("PAUSE web-1", new Message.Pause("web-1")),
        Arguments.of("PAUSED web-1", new Message.Paused("web-1")),
        Arguments.of("RESUME web-1", new Message.Resume("web-1")),
        Arguments.of("RESUMED web-1", new Message.Resumed("web-1")),
        Arguments.of("DRAIN web-1", new Message.Drain("web-1")),
        Arguments.of("DRAINING web-1", new Message.Draining("web-1")),
        Arguments.of("DEREGISTER web-1", new Message.Deregister("web-1")),
        Arguments.of("DEREGISTERED web-1", new Message.Deregistered("web-1", "")),
        Arguments.of(
            "DEREGISTERED web-1 health check timeout ran out",
            new Message.Deregistered("web-1", "health check timeout ran out")),
        Arguments.of("INVALID", new Message.Invalid("")),
        Arguments.of("INVALID name in use", new Message.Invalid("name in use")));
  }

  @ParameterizedTest
  @MethodSource("lines")
  void readsAndWritesEachLineByteForByte(String line, Message message) throws InvalidLineException {
    assertThat(MessageCodec.parse(line)).isEqualTo(message);
    assertThat(MessageCodec.format(message)).isEqualTo(line);
  }

  @Test
  void everyMessageHasALine() {
    assertThat(lines().<Class<?>>map(line -> line.get()[1].getClass()).distinct())
        .containsExactlyInAnyOrder(Message.class.getPermittedSubclasses());
  }

  @Test
  void understandsWhatARegisterOffers() throws InvalidLineException {
    Message.Register register =
        (Message.Register)
            MessageCodec.parse(
                "REGISTER web-1 10.0.0.11 version=2 health=500ms intent=paused"
                    + " services=web,mail-2 weight=256 mtu=9000 x=y=z flag");
    assertThat(register.version()).isEqualTo(2);
    assertThat(register.healthInterval()).contains(Duration.ofMillis(500));
    assertThat(register.intent()).isEqualTo(Intent.PAUSED);
    assertThat(register.services()).containsExactly("web", "mail-2");
    assertThat(register.weight()).isEqualTo(256);
    assertThat(register.mtu()).hasValue(9000);
    assertThat(register.unknownOptions()).containsExactly("x=y=z", "flag");
  }

  @Test
  void aPeerOf2019OffersNothing() throws InvalidLineException {
    Message.Register register = (Message.Register) MessageCodec.parse("REGISTER web-1 10.0.0.11");
    assertThat(register.version()).isEqualTo(Message.VERSION_2019);
    assertThat(register.healthInterval()).isEmpty();
    assertThat(register.intent()).isEqualTo(Intent.ACTIVE);
    assertThat(register.services()).isEmpty();
    assertThat(register.weight()).isEqualTo(1);
    assertThat(register.mtu()).isEmpty();
    Message.Registered registered =
        (Message.Registered) MessageCodec.parse("REGISTERED web-1 10.0.0.11");
    assertThat(registered.version()).isEqualTo(Message.VERSION_2019);
    assertThat(registered.from()).isEmpty();
  }

  @Test
  void aLaterVersionIsNotRefused() throws InvalidLineException {
    Message.Register register =
        (Message.Register) MessageCodec.parse("REGISTER web-1 10.0.0.11 version=3");
    assertThat(register.version()).isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "\"\"|a line starts with a command, not empty",
        "\" HEALTH 200\"|a line starts with a command, not empty",
        "HELO web-1|'HELO' is no command; known are REGISTER, SANE,",
        "register web-1 10.0.0.11|'register' is no command",
        "REGISTER|REGISTER takes a name and a data address, like REGISTER web-1 10.0.0.11",
        "REGISTER web-1|REGISTER takes a name and a data address",
        "REGISTER  web-1 10.0.0.11|separated by single spaces",
        "\"REGISTER web-1 10.0.0.11 \"|separated by single spaces, with none at the end",
        "REGISTER web/1 10.0.0.11|'web/1' is not a name; a name has 1 to 64 characters",
        "REGISTER web-1 web-1.example|'web-1.example' is not an IP address; write it like",
        "REGISTER web-1 ::ffff:10.0.0.1|is not an IP address",
        "REGISTER web-1 10.0.0.11 =1|'=1' is not an option; write key=value",
        "REGISTER web-1 10.0.0.11 a=1 a=2|'a' is in the line twice; write it once",
        "REGISTER web-1 10.0.0.11 version=1|version=1 is unknown; write version=2",
        "REGISTER web-1 10.0.0.11 version|version= is unknown; write version=2",
        "REGISTER web-1 10.0.0.11 version=two|version=two is unknown; write version=2",
        "REGISTER web-1 10.0.0.11 health=5|health=5 is not a duration from 100ms to 600s; write it",
        "REGISTER web-1 10.0.0.11 health=99ms|health=99ms is not a duration",
        "REGISTER web-1 10.0.0.11 health=11m|health=11m is not a duration",
        "REGISTER web-1 10.0.0.11 health=-5s|health=-5s is not a duration",
        "REGISTER web-1 10.0.0.11 health=99999999999s|is not a duration",
        "REGISTER web-1 10.0.0.11 intent=ACTIVE|intent=ACTIVE is unknown; write active, draining or",
        "REGISTER web-1 10.0.0.11 services=|services= is not a list of different names; write it like services=web,mail",
        "REGISTER web-1 10.0.0.11 services=web,|services=web, is not a list of different names",
        "REGISTER web-1 10.0.0.11 services=web,web|services=web,web is not a list of different names",
        "REGISTER web-1 10.0.0.11 services=a/b|services=a/b is not a list of different names",
        "REGISTER web-1 10.0.0.11 weight=0|weight=0 is not a whole number from 1 to 256",
        "REGISTER web-1 10.0.0.11 weight=257|weight=257 is not a whole number from 1 to 256",
        "REGISTER web-1 10.0.0.11 weight=+1|weight=+1 is not a whole number from 1 to 256",
        "REGISTER web-1 10.0.0.11 weight|weight= is not a whole number from 1 to 256",
        "REGISTER web-1 10.0.0.11 weight=99999999999|is not a whole number from 1 to 256",
        "REGISTER web-1 10.0.0.11 mtu=575|mtu=575 is not a whole number from 576 to 65535",
        "REGISTER web-1 10.0.0.11 mtu=65536|mtu=65536 is not a whole number from 576 to 65535",
        "REGISTER web-1 10.0.0.11 mtu=1500b|mtu=1500b is not a whole number from 576 to 65535",
        "REGISTERED web-1 10.0.0.11 version=2 from=here|'here' is not an IP address",
        "SANE|SANE takes one token and nothing else: SANE <token>",
        "SANE a b|SANE takes one token and nothing else",
        "SANE a+b|'a+b' is not a token; a token has 1 to 128 characters",
        "HEALTH|HEALTH takes a code of three digits and perhaps a reason, like HEALTH 200",
        "\"HEALTH \"|HEALTH takes a code of three digits",
        "HEALTH ok|HEALTH takes a code of three digits",
        "HEALTH 0200|HEALTH takes a code of three digits",
        "HEALTH 099|99 is not a health code; write 200 for healthy, or another one from 100 to 999",
        "HEALTHACK|HEALTHACK takes 200",
        "HEALTHACK 201|HEALTHACK takes 200",
        "PAUSE|PAUSE takes one name and nothing else: PAUSE <name>",
        "\"PAUSE \"|separated by single spaces",
        "PAUSE web-1 now|PAUSE takes one name and nothing else",
        "DEREGISTER a b|DEREGISTER takes one name and nothing else",
        "DEREGISTERED|DEREGISTERED takes one name",
        "DEREGISTERED a+b gone|'a+b' is not a name"
      })
  void saysWhatIsWrongAndWhatWouldBeRight(String line, String message) {
    assertThatThrownBy(() -> MessageCodec.parse(line))
        .isInstanceOf(InvalidLineException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"PAUSE web\t1", "PAUSE web-\u00e9", "PAUSE web-1\r", "PAUSE web-1\n"})
  void refusesWhatIsNotPrintable(String line) {
    assertThatThrownBy(() -> MessageCodec.parse(line))
        .isInstanceOf(InvalidLineException.class)
        .hasMessage("a line is printable ASCII of at most 512 characters");
  }

  @Test
  void knowsTheLongestLineNameAndToken() throws InvalidLineException {
    String start = "REGISTER " + "n".repeat(64) + " 10.0.0.11 ";
    String longest = start + "k".repeat(512 - start.length());
    assertThat(MessageCodec.format(MessageCodec.parse(longest))).isEqualTo(longest);
    assertThat(MessageCodec.parse("SANE " + "t".repeat(128))).isInstanceOf(Message.Sane.class);
    for (String tooLong :
        List.of(longest + "k", "PAUSE " + "n".repeat(65), "SANE " + "t".repeat(129))) {
      assertThatThrownBy(() -> MessageCodec.parse(tooLong))
          .isInstanceOf(InvalidLineException.class);
    }
  }

  @Test
  void freeTextIsMadeFitForALineInsteadOfBeingRefused() {
    assertThat(MessageCodec.format(new Message.Health(503, " gr\u00fcn\nand\ttab ")))
        .isEqualTo("HEALTH 503 gr?n?and?tab");
    assertThat(MessageCodec.format(new Message.Invalid("x".repeat(10_000))))
        .hasSizeLessThanOrEqualTo(MessageCodec.MAX_LINE);
    assertThat(
            MessageCodec.format(
                new Message.Deregistered("n".repeat(64), "\ud83d\ude00".repeat(10_000))))
        .hasSizeLessThanOrEqualTo(MessageCodec.MAX_LINE);
  }

  @Test
  void aMessageThatTheProtocolDoesNotAllowCannotBeMade() {
    assertThatThrownBy(() -> new Message.Pause("web 1"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () ->
                new Message.Register(
                    "web-1", IpAddresses.parse("10.0.0.11"), Map.of("a", "1\nPAUSE web-2")))
        .isInstanceOf(IllegalArgumentException.class);
    Message tooLong =
        new Message.Register("web-1", IpAddresses.parse("10.0.0.11"), Map.of("a", "x".repeat(512)));
    assertThatThrownBy(() -> MessageCodec.format(tooLong))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at most 512");
  }

  /** No line throws anything but the one exception, and whatever is read survives being written. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void noLineDoesHarm(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<String> lines = lines().map(line -> (String) line.get()[0]).toList();
    int understood = 0;
    for (int i = 0; i < 5_000; i++) {
      String line = mutate(lines.get(random.nextInt(lines.size())), random);
      try {
        Message message = MessageCodec.parse(line);
        assertThat(MessageCodec.parse(MessageCodec.format(message))).isEqualTo(message);
        understood++;
      } catch (InvalidLineException e) {
        assertThat(MessageCodec.format(new Message.Invalid(e.getMessage())))
            .hasSizeGreaterThan("INVALID ".length());
      }
    }
    assertThat(understood).isBetween(500, 4_500);
  }

  private static String mutate(String line, SplittableRandom random) {
    StringBuilder text = new StringBuilder(line);
    for (int changes = random.nextInt(4); changes > 0 && !text.isEmpty(); changes--) {
      int at = random.nextInt(text.length());
      switch (random.nextInt(6)) {
        case 0 -> text.deleteCharAt(at);
        case 1 -> text.insert(at, (char) random.nextInt(' ', 127));
        case 2 -> text.setCharAt(at, (char) random.nextInt(256));
        case 3 -> text.insert(at, ' ');
        case 4 -> text.setLength(at);
        default -> text.append(text.substring(at));
      }
    }
    return text.toString();
  }

  private static Map<String, String> options(String... keysAndValues) {
    Map<String, String> options = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      options.put(keysAndValues[i], keysAndValues[i + 1]);
    }
    return options;
  }

  @Test
  void announcesManyVipsInAsFewLinesAsTheyNeed() throws InvalidLineException {
    List<InetAddress> vips =
        IntStream.range(0, 200)
            .mapToObj(i -> IpAddresses.parse("2001:db8:1:2:3:4:5:" + i))
            .toList();

    List<Message.Serves> messages = Message.Serves.split("web-1", vips);

    List<InetAddress> read = new ArrayList<>();
    for (Message.Serves message : messages) {
      read.addAll(((Message.Serves) MessageCodec.parse(MessageCodec.format(message))).vips());
    }
    assertThat(read).isEqualTo(vips);
    assertThat(messages).hasSize(10);
    assertThat(Message.Serves.split("web-1", List.of())).isEmpty();
  }

  @Test
  void namesAsManyUnknownServicesAsALineHolds() throws InvalidLineException {
    List<String> names = IntStream.range(0, 100).mapToObj(i -> "service-" + i).toList();
    Message.Serving message = Message.Serving.of("n".repeat(64), 0, names);
    assertThat(MessageCodec.parse(MessageCodec.format(message))).isEqualTo(message);
    assertThat(message.unknown()).hasSizeBetween(30, 99);
  }
}
