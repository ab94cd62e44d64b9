package dev.caplance.host;

import dev.caplance.linux.LinuxException;
import dev.caplance.linux.NetlinkMessages;
import dev.caplance.linux.NetlinkSocket;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Changes of one table of nftables, of family {@code inet}, which the kernel makes all or none of
 * ({@code linux/netfilter/nf_tables.h}). Used by one thread.
 */
final class NftBatch {

  /** {@code NFNL_SUBSYS_NFTABLES}. */
  static final int SUBSYSTEM = 10;

  /** Bytes of {@code struct nfgenmsg { u8 family; u8 version; be16 resource; }}. */
  static final int HEADER = 4;

  /** The attribute in which messages of all kinds name the table. */
  static final int TABLE = 1;

  private static final int BATCH_BEGIN = 0x10;
  private static final int BATCH_END = 0x11;
  private static final int NEW_TABLE = 0;
  private static final int DELETE_TABLE = 2;
  private static final int NEW_CHAIN = 3;
  private static final int NEW_RULE = 6;
  private static final int NEW_SET = 9;
  private static final int NEW_ELEMENTS = 12;

  static final int FAMILY_INET = 1;

  private static final int NAME = 2;
  private static final int LIST_ELEMENT = 1;
  private static final int DATA_VALUE = 1;
  private static final int DATA_VERDICT = 2;

  private static final int HOOK_LOCAL_IN = 1;
  private static final int SET_OF_CONCATENATED_RANGES = 0x84;

  /** An attribute has at most 65,535 bytes. */
  private static final int ELEMENTS_OF_A_MESSAGE = 400;

  private final NetlinkMessages messages = new NetlinkMessages();
  private final String table;
  private int sequence;

  /**
   * The keys from one to another in every field of a set. Never compared.
   *
   * @param from its fields, each in network order and filled up with zeros to four bytes
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Range(byte[] from, byte[] to) {}

  /** An expression of a rule. */
  record Expression(String name, NetlinkMessages.Content attributes) {}

  NftBatch(String table) {
    this.table = table;
    control(BATCH_BEGIN);
  }

  private void control(int type) {
    messages.message(type, NetlinkMessages.REQUEST, 0, header(0, SUBSYSTEM), () -> {});
  }

  static byte[] header(int family, int resource) {
    ByteBuffer bytes = ByteBuffer.allocate(HEADER);
    return bytes.put(0, (byte) family).putShort(2, (short) resource).array();
  }

  private void change(int type, int flags, NetlinkMessages.Content more) {
    messages.message(
        SUBSYSTEM << Byte.SIZE | type,
        NetlinkMessages.REQUEST | NetlinkMessages.ACK | flags,
        ++sequence,
        header(FAMILY_INET, 0),
        () -> {
          messages.attribute(TABLE, table);
          more.write();
        });
  }

  private void addition(int type, NetlinkMessages.Content more) {
    change(type, NetlinkMessages.CREATE, more);
  }

  /** Adds the table with flags such as {@code NFT_TABLE_F_OWNER}. */
  NftBatch addTable(int flags) {
    addition(NEW_TABLE, () -> messages.attribute(2, flags));
    return this;
  }

  NftBatch deleteTable() {
    change(DELETE_TABLE, 0, () -> {});
    return this;
  }

  /** Adds a chain that sees what the machine itself is about to receive. */
  NftBatch addInputChain(String name, int priority) {
    addition(
        NEW_CHAIN,
        () -> {
          messages.attribute(3, name);
          messages.nested(
              4,
              () -> {
                messages.attribute(1, HOOK_LOCAL_IN);
                messages.attribute(2, priority);
              });
          messages.attribute(7, "filter");
        });
    return this;
  }

  /**
   * Adds a set of ranges.
   *
   * @param type of its keys, in six bits for each field, as nft(8) shows it
   * @param fields the length of each field in bytes
   */
  NftBatch addSet(String name, int type, int[] fields, List<Range> ranges) {
    addition(
        NEW_SET,
        () -> {
          messages.attribute(NAME, name);
          messages.attribute(3, SET_OF_CONCATENATED_RANGES);
          messages.attribute(4, type);
          messages.attribute(5, ranges.get(0).from().length);
          messages.nested(9, () -> messages.nested(2, () -> putFields(fields)));
          messages.attribute(10, sequence);
        });
    for (int i = 0; i < ranges.size(); i += ELEMENTS_OF_A_MESSAGE) {
      addElements(name, ranges.subList(i, Math.min(ranges.size(), i + ELEMENTS_OF_A_MESSAGE)));
    }
    return this;
  }

  private void putFields(int... lengths) {
    for (int length : lengths) {
      messages.nested(LIST_ELEMENT, () -> messages.attribute(1, length));
    }
  }

  private void addElements(String set, List<Range> ranges) {
    addition(
        NEW_ELEMENTS,
        () -> {
          messages.attribute(NAME, set);
          messages.nested(3, () -> ranges.forEach(this::putElement));
        });
  }

  private void putElement(Range range) {
    messages.nested(
        LIST_ELEMENT,
        () -> {
          messages.nested(1, () -> messages.attribute(DATA_VALUE, range.from()));
          messages.nested(10, () -> messages.attribute(DATA_VALUE, range.to()));
        });
  }

  /** Adds a rule behind the others of a chain. */
  NftBatch addRule(String chain, List<Expression> expressions) {
    addition(
        NEW_RULE,
        () -> {
          messages.attribute(2, chain);
          messages.nested(4, () -> expressions.forEach(this::putExpression));
        });
    return this;
  }

  private void putExpression(Expression expression) {
    messages.nested(
        LIST_ELEMENT,
        () -> {
          messages.attribute(1, expression.name());
          messages.nested(2, expression.attributes());
        });
  }

  /** Loads a value that is not in the packet, such as {@code NFT_META_L4PROTO}. */
  Expression meta(int key, int register) {
    return new Expression(
        "meta",
        () -> {
          messages.attribute(1, register);
          messages.attribute(2, key);
        });
  }

  /** Goes on only if a register begins with these bytes. */
  Expression equal(int register, byte... value) {
    return new Expression(
        "cmp",
        () -> {
          messages.attribute(1, register);
          messages.attribute(2, 0);
          messages.nested(3, () -> messages.attribute(DATA_VALUE, value));
        });
  }

  /** Loads bytes of the packet, from its network header (base 1) or transport header (2) on. */
  Expression payload(int base, int offset, int length, int register) {
    return new Expression(
        "payload",
        () -> {
          messages.attribute(1, register);
          messages.attribute(2, base);
          messages.attribute(3, offset);
          messages.attribute(4, length);
        });
  }

  /** Goes on only if the set holds what is in the registers from this one on. */
  Expression lookup(String set, int register) {
    return new Expression(
        "lookup",
        () -> {
          messages.attribute(1, set);
          messages.attribute(2, register);
        });
  }

  Expression count() {
    return new Expression("counter", () -> {});
  }

  Expression drop() {
    return new Expression(
        "immediate",
        () -> {
          messages.attribute(1, 0);
          messages.nested(2, () -> messages.nested(DATA_VERDICT, () -> messages.attribute(1, 0)));
        });
  }

  /**
   * Has the kernel make the changes.
   *
   * @throws LinuxException when it refuses one of them; it made none then
   */
  void commit(NetlinkSocket socket) throws LinuxException {
    control(BATCH_END);
    socket.request(messages, sequence, "changing the nftables table '" + table + "'");
  }
}
