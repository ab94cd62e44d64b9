package dev.caplance.dist;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import dev.caplance.lb.dataplane.nfqueue.NfqueueDataplane;
import org.junit.jupiter.api.Test;

/** The walls of the house that {@code docs/architecture.md} draws. */
class ArchitectureTest {

  private static final String CORE = "dev.caplance.";

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.caplance");

  private static void check(ArchRule rule) {
    rule.check(CLASSES);
  }

  @Test
  void onlyLinuxTouchesJna() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage(CORE + "linux..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("com.sun.jna.."));
  }

  @Test
  void onlyControlTouchesJnr() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage(CORE + "control..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("jnr.."));
  }

  @Test
  void onlyConfigTouchesYaml() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage(CORE + "config..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.yaml.."));
  }

  @Test
  void packagesHaveNoCycles() {
    check(slices().matching("dev.caplance.(**)").should().beFreeOfCycles());
  }

  @Test
  void packetKnowsNothingElse() {
    check(
        classes()
            .that()
            .resideInAPackage(CORE + "packet..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(CORE + "packet..", "java.."));
  }

  @Test
  void linuxKnowsNothingElse() {
    check(
        classes()
            .that()
            .resideInAPackage(CORE + "linux..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                CORE + "linux..", "com.sun.jna..", "com.sun.management..", "java.."));
  }

  @Test
  void nothingOfTheControlPathIsOnThePacketPath() {
    check(
        classes()
            .that()
            .resideInAnyPackage(
                CORE + "lb.dataplane..", CORE + "lb.forwarding..", CORE + "backend.dataplane..")
            .and()
            .doNotHaveFullyQualifiedName(NfqueueDataplane.class.getName())
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                CORE + "lb.dataplane..",
                CORE + "lb.forwarding..",
                CORE + "backend.dataplane..",
                CORE + "linux..",
                CORE + "packet..",
                "net.openhft.hashing..",
                "java.."));
  }

  /** It owns the netfilter rules, and says what became of them. */
  @Test
  void theDataPlaneItselfKnowsTheHostAndTheLogBesides() {
    check(
        classes()
            .that()
            .haveFullyQualifiedName(NfqueueDataplane.class.getName())
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                CORE + "lb.dataplane..",
                CORE + "lb.forwarding..",
                CORE + "linux..",
                CORE + "packet..",
                CORE + "host..",
                "org.slf4j..",
                "java.."));
  }

  /** A second data plane takes the same table. */
  @Test
  void theForwardingTableIsPlainData() {
    check(
        classes()
            .that()
            .resideInAPackage(CORE + "lb.forwarding..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                CORE + "lb.forwarding..", CORE + "packet..", "net.openhft.hashing..", "java.."));
  }

  /** Only the daemon's root knows which data plane there is. */
  @Test
  void nothingButTheRootAssumesNfqueue() {
    check(
        noClasses()
            .that()
            .resideInAnyPackage(
                CORE + "lb.dataplane",
                CORE + "lb.forwarding..",
                CORE + "lb.registry..",
                CORE + "lb.admin..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(CORE + "lb.dataplane.nfqueue.."));
  }

  /** The shapes that daemons write and caplancectl reads. */
  @Test
  void statusKnowsNothingElse() {
    check(
        classes()
            .that()
            .resideInAPackage(CORE + "status..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(CORE + "status..", "com.google.gson..", "java.."));
  }

  @Test
  void coreDoesNotKnowTheDaemons() {
    check(
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
                CORE + "status..",
                CORE + "preflight..",
                CORE + "logging..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(CORE + "lb..", CORE + "backend..", CORE + "ctl.."));
  }

  @Test
  void theSessionsMessagesKnowNotWhatTheyLeadTo() {
    check(
        noClasses()
            .that()
            .resideInAPackage(CORE + "session..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                CORE + "control..", CORE + "config..", CORE + "host..", CORE + "linux.."));
  }
}
