package dev.caplance.daemon;

/** The version of this program. */
public final class Version {

  /** As the jar's manifest says, or {@code development} when it runs without one. */
  public static final String TEXT =
      Version.class.getPackage().getImplementationVersion() == null
          ? "development"
          : Version.class.getPackage().getImplementationVersion();

  private Version() {}
}
