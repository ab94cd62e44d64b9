package dev.caplance.dist;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The walls of the house that {@code docs/architecture.md} draws. */
@AnalyzeClasses(
    packages = "dev.caplance",
    importOptions = {ImportOption.DoNotIncludeTests.class})
class ArchitectureTest {

  private static final String CORE = "dev.caplance.";

  @ArchTest
  static final ArchRule onlyLinuxTouchesJna =
      noClasses()
          .that()
          .resideOutsideOfPackage(CORE + "linux..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.sun.jna..");

  @ArchTest
  static final ArchRule onlyControlTouchesJnr =
      noClasses()
          .that()
          .resideOutsideOfPackage(CORE + "control..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("jnr..");

  @ArchTest
  static final ArchRule onlyConfigTouchesYaml =
      noClasses()
          .that()
          .resideOutsideOfPackage(CORE + "config..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.yaml..");

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("dev.caplance.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule packetKnowsNothingElse =
      classes()
          .that()
          .resideInAPackage(CORE + "packet..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(CORE + "packet..", "java..");

  @ArchTest
  static final ArchRule linuxKnowsNothingElse =
      classes()
          .that()
          .resideInAPackage(CORE + "linux..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(CORE + "linux..", "com.sun.jna..", "com.sun.management..", "java..");

  @ArchTest
  static final ArchRule nothingOfTheControlPathIsOnThePacketPath =
      classes()
          .that()
          .resideInAnyPackage(
              CORE + "lb.dataplane..", CORE + "lb.routing..", CORE + "backend.dataplane..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              CORE + "lb.dataplane..",
              CORE + "lb.routing..",
              CORE + "backend.dataplane..",
              CORE + "linux..",
              CORE + "packet..",
              "net.openhft.hashing..",
              "java..");

  @ArchTest
  static final ArchRule coreDoesNotKnowTheDaemons =
      noClasses()
          .that()
          .resideInAnyPackage(
              CORE + "linux..",
              CORE + "packet..",
              CORE + "session..",
              CORE + "control..",
              CORE + "config..",
              CORE + "host..",
              CORE + "daemon..",
              CORE + "logging..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(CORE + "lb..", CORE + "backend..", CORE + "ctl..");

  @ArchTest
  static final ArchRule theSessionsMessagesKnowNotWhatTheyLeadTo =
      noClasses()
          .that()
          .resideInAPackage(CORE + "session..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              CORE + "control..", CORE + "config..", CORE + "host..", CORE + "linux..");
}
