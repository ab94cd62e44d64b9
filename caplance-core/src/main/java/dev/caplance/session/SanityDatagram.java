package dev.caplance.session;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The datagram that a load balancer sends to a backend's data port before it registers it: {@code
 * SANITY <token>} in ASCII, without a line end. The backend proves with {@link Message.Sane} on the
 * session that it arrived. Encapsulated packets share the port but cannot be confused with it:
 * their first nibble is 4 or 6, that of an {@code S} is 5.
 *
 * @param token {@code [A-Za-z0-9_-]{1,128}}
 */
public record SanityDatagram(String token) {

  private static final String PREFIX = "SANITY ";
  private static final int MAX_LENGTH = PREFIX.length() + 128;
  private static final int RANDOM_BYTES = 16;

  public SanityDatagram {
    Syntax.token(token);
  }

  /** A datagram with a token of 128 random bits. */
  public static SanityDatagram random(SecureRandom random) {
    byte[] bits = new byte[RANDOM_BYTES];
    random.nextBytes(bits);
    return new SanityDatagram(HexFormat.of().formatHex(bits));
  }

  /**
   * Reads a datagram's payload, from position to limit; the buffer's position does not change.
   * Empty if it is anything else.
   */
  public static Optional<SanityDatagram> parse(ByteBuffer payload) {
    if (payload.remaining() <= PREFIX.length() || payload.remaining() > MAX_LENGTH) {
      return Optional.empty();
    }
    String text = StandardCharsets.ISO_8859_1.decode(payload.duplicate()).toString();
    if (!text.startsWith(PREFIX)) {
      return Optional.empty();
    }
    try {
      return Optional.of(new SanityDatagram(text.substring(PREFIX.length())));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** The payload to send. */
  public byte[] format() {
    return (PREFIX + token).getBytes(StandardCharsets.US_ASCII);
  }
}
