package dev.caplance.backend.health;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A set of final HTTP statuses, 200 to 599. Its text is that of the configuration. */
public record StatusCodes(List<Range> ranges) {

  private static final int FIRST_FINAL = 200;
  private static final int LAST = 599;
  private static final Pattern TEXT = Pattern.compile("([1-5]\\d\\d)(?:-([1-5]\\d\\d))?");

  /** Statuses {@code first} to {@code last}. */
  public record Range(int first, int last) {

    /**
     * Reads {@code 200} or {@code 200-399}.
     *
     * @throws IllegalArgumentException if it is neither; the message is for the operator
     */
    public static Range parse(String text) {
      Matcher numbers = TEXT.matcher(text);
      if (numbers.matches()) {
        int first = Integer.parseInt(numbers.group(1));
        int last = numbers.group(2) == null ? first : Integer.parseInt(numbers.group(2));
        if (first < FIRST_FINAL) {
          throw new IllegalArgumentException(
              "'" + text + "' begins below 200; a status of 1xx never ends an answer");
        }
        if (first <= last && last <= LAST) {
          return new Range(first, last);
        }
      }
      throw new IllegalArgumentException(
          "'" + text + "' is not a status from 200 to 599, nor a range of them like 200-399");
    }

    @Override
    public String toString() {
      return first == last ? String.valueOf(first) : first + "-" + last;
    }
  }

  public StatusCodes {
    ranges = List.copyOf(ranges);
  }

  /** Of one status. */
  public static StatusCodes of(int status) {
    return new StatusCodes(List.of(new Range(status, status)));
  }

  boolean contains(int status) {
    return ranges.stream().anyMatch(range -> range.first() <= status && status <= range.last());
  }

  @Override
  public String toString() {
    return ranges.stream().map(Range::toString).collect(Collectors.joining(" or "));
  }
}
