package dev.caplance.packet;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.regex.Pattern;

/**
 * IP addresses as text and as numbers. Only literals are read, never names: nothing here asks a
 * resolver. Any thread may call.
 */
public final class IpAddresses {

  private static final Pattern IPV4 =
      Pattern.compile("(?:(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)(?:\\.(?!$)|$)){4}");
  private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:]*:[0-9a-fA-F:.]*");

  private IpAddresses() {}

  /**
   * Reads an address literal: four decimal numbers without leading zeros, or the text forms of RFC
   * 4291 without a zone.
   *
   * @throws IllegalArgumentException when the text is anything else; an IPv4-mapped IPv6 address is
   *     refused too, since the kernel treats it as the IPv4 address
   */
  public static InetAddress parse(String text) {
    if (IPV4.matcher(text).matches() || IPV6.matcher(text).matches()) {
      try {
        InetAddress address = InetAddress.getByName(text);
        if (address instanceof Inet6Address || text.indexOf(':') < 0) {
          return address;
        }
      } catch (UnknownHostException e) {
        throw new IllegalArgumentException(notAnAddress(text), e);
      }
    }
    throw new IllegalArgumentException(notAnAddress(text));
  }

  /** The address of 4 or 16 bytes in network order. */
  public static InetAddress ofBytes(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static String notAnAddress(String text) {
    return "'" + text + "' is not an IP address; write it like 10.0.0.50 or 2001:db8::50";
  }

  /** The canonical text of an address: dotted decimal, or RFC 5952 for IPv6. */
  public static String format(InetAddress address) {
    byte[] bytes = address.getAddress();
    if (bytes.length == 4) {
      return address.getHostAddress();
    }
    int[] groups = new int[8];
    for (int i = 0; i < 8; i++) {
      groups[i] = (bytes[2 * i] & 0xff) << 8 | (bytes[2 * i + 1] & 0xff);
    }
    int zerosAt = -1;
    int zeros = 1;
    for (int i = 0; i < 8; i++) {
      int run = 0;
      while (i + run < 8 && groups[i + run] == 0) {
        run++;
      }
      if (run > zeros) {
        zerosAt = i;
        zeros = run;
      }
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      if (i == zerosAt) {
        text.append("::");
        i += zeros - 1;
      } else {
        if (i > 0 && text.charAt(text.length() - 1) != ':') {
          text.append(':');
        }
        text.append(Integer.toHexString(groups[i]));
      }
    }
    return text.toString();
  }

  /** Address and port as operators write them: 10.0.0.2:1338 or [2001:db8::2]:1338. */
  public static String format(InetSocketAddress address) {
    String host = format(address.getAddress());
    return (isIpv4(address.getAddress()) ? host : "[" + host + "]") + ":" + address.getPort();
  }

  /** Whether this is an IPv4 address. */
  public static boolean isIpv4(InetAddress address) {
    return address instanceof Inet4Address;
  }

  /** Bytes 0 to 7 of the 16-byte form (IPv4 as ::ffff:a.b.c.d), network order. */
  public static long high(InetAddress address) {
    byte[] bytes = address.getAddress();
    return bytes.length == 4 ? 0 : longAt(bytes, 0);
  }

  /** Bytes 8 to 15 of the 16-byte form (IPv4 as ::ffff:a.b.c.d), network order. */
  public static long low(InetAddress address) {
    byte[] bytes = address.getAddress();
    return bytes.length == 4 ? mapped(intAt(bytes, 0)) : longAt(bytes, 8);
  }

  /** The low half of the v4-mapped form of an IPv4 address given as its 32 bits. */
  public static long mapped(int ipv4) {
    return 0xffff_0000_0000L | Integer.toUnsignedLong(ipv4);
  }

  private static int intAt(byte[] bytes, int offset) {
    return (bytes[offset] & 0xff) << 24
        | (bytes[offset + 1] & 0xff) << 16
        | (bytes[offset + 2] & 0xff) << 8
        | (bytes[offset + 3] & 0xff);
  }

  private static long longAt(byte[] bytes, int offset) {
    return (long) intAt(bytes, offset) << 32 | Integer.toUnsignedLong(intAt(bytes, offset + 4));
  }
}
