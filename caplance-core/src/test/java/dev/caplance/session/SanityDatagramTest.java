package dev.caplance.session;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SanityDatagramTest {

  @Test
  void isTextWithoutALineEnd() {
    byte[] bytes = "SANITY 0aZ_-9".getBytes(US_ASCII);
    assertThat(new SanityDatagram("0aZ_-9").format()).isEqualTo(bytes);
    ByteBuffer payload = ByteBuffer.allocateDirect(100).position(10).put(bytes).flip().position(10);
    assertThat(SanityDatagram.parse(payload)).contains(new SanityDatagram("0aZ_-9"));
    assertThat(payload.position()).isEqualTo(10);
  }

  @Test
  void takesTheTokensOf2019() {
    assertThat(SanityDatagram.parse(payload("SANITY ABCDEFGHIJKLMNOP")))
        .contains(new SanityDatagram("ABCDEFGHIJKLMNOP"));
    assertThat(SanityDatagram.parse(payload("SANITY " + "x".repeat(128)))).isPresent();
  }

  @Test
  void hasARandomTokenOf128Bits() {
    SecureRandom random = new SecureRandom();
    SanityDatagram first = SanityDatagram.random(random);
    assertThat(first.token()).matches("[0-9a-f]{32}");
    assertThat(SanityDatagram.random(random)).isNotEqualTo(first);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "SANITY",
        "SANITY ",
        "SANITY a\n",
        "SANITY a b",
        "sanity a",
        "SANE a",
        "SANITY \u00e9",
        "E\u0000\u0000\u001c"
      })
  void nothingElseIsOne(String text) {
    assertThat(SanityDatagram.parse(payload(text))).isEmpty();
  }

  @Test
  void whatIsTooLongIsNone() {
    assertThat(SanityDatagram.parse(payload("SANITY " + "x".repeat(129)))).isEmpty();
    assertThat(SanityDatagram.parse(ByteBuffer.allocate(65_507))).isEmpty();
  }

  private static ByteBuffer payload(String text) {
    return ByteBuffer.wrap(text.getBytes(ISO_8859_1));
  }
}
