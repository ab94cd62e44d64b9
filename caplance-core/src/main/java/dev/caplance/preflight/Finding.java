package dev.caplance.preflight;

/**
 * A problem on this machine.
 *
 * @param what what is wrong
 * @param where where it is, or how it was found
 * @param remedy the command that fixes it, or what to do
 */
public record Finding(Severity severity, String what, String where, String remedy) {

  /** How bad it is. */
  public enum Severity {
    /** Some or all clients will get no answer. */
    STOPS,
    /** It may do harm, or something could not be checked. */
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
