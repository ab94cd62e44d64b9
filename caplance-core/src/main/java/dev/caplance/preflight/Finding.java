package dev.caplance.preflight;

/**
 * Something on the machine that is not as it should be.
 *
 * @param what what is wrong
 * @param where how it was seen, or where it is
 * @param remedy the command that mends it, or what to do
 */
public record Finding(Severity severity, String what, String where, String remedy) {

  /** How bad it is. */
  public enum Severity {
    /** Clients will get no answer, or not all of them. */
    STOPS,
    /** It may do harm, or could not be looked at. */
    WARNS
  }

  public static Finding stops(String what, String where, String remedy) {
    return new Finding(Severity.STOPS, what, where, remedy);
  }

  public static Finding warns(String what, String where, String remedy) {
    return new Finding(Severity.WARNS, what, where, remedy);
  }

  /** One line: what (where): remedy. */
  @Override
  public String toString() {
    return (what + " (" + where + "): " + remedy).replaceAll("\\R", " ");
  }
}
