package dev.caplance.daemon;

/** The version of this program. */
public final class Version {

  /** From the jar's manifest; {@code development} when the program runs from class files. */
  public static final String TEXT =
      Version.class.getPackage().getImplementationVersion() == null
          ? "development"
          : Version.class.getPackage().getImplementationVersion();

  private Version() {}
}
