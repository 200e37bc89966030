/** What backing files up and bringing them back asks for: part of the contract, in a file of its own. */
import type { ComponentOf } from '../plan/components.ts';
import type { Snapshot } from '../recovery/snapshots.ts';
import type { Found } from './shapes.ts';

/** A component that restic keeps, as the plan has it. */
export type Files = ComponentOf<'restic'>;

/** How many entries of a tree are only in the snapshot, in both but not the same, only in what lies there now. */
export interface Differing {
  /** Would come. */
  added: number;
  /** Would be another: by what it is, its size, time, mode or owner. */
  changed: number;
  /** Would be gone. */
  removed: number;
}

export interface LivePlace {
  path: string;
  /** `other`: a file where the snapshot has a directory, or the other way round. */
  state: 'there' | 'missing' | 'empty' | 'other';
}

/** What lies there now against a snapshot, by what a listing tells: no content is read. */
export interface ComparedPlace extends LivePlace, Differing {
  /** Of the snapshot. */
  entries: number;
  bytes: number;
}

/** The run that makes something beside, as directories can carry it; and what was there before. */
export interface Beside {
  files: Files;
  run: string;
}

export interface FilesReads {
  /** What lies in the paths now; the repository is not asked. @throws NotPermitted */
  filesHere(ask: { files: Files }): Promise<Found & { places: LivePlace[] }>;
  /**
   * Whether the files could come back: the repository opens with its key, has a snapshot of exactly these paths, and what it would replace
   * can be replaced.
   *
   * @param ask.wanted the id of a snapshot, or a moment: the newest one until then
   * @throws KeyLost @throws BackupMissing @throws StoreUnreachable @throws StoreRefused @throws NotReplaceable @throws NotPermitted
   */
  filesLook(ask: {
    files: Files;
    wanted?: string;
  }): Promise<Found & { snapshot: Snapshot; ageMs: number; places: ComparedPlace[]; lying: string[] }>;
  /** Whether the files could be backed up: every path is there, and all of it can be read. @throws BackupFailed @throws KeyLost */
  filesReadable(ask: { files: Files }): Promise<Found & { entries: number; bytes: number }>;
  /**
   * Reads the repository's structure and data, at random where it is large.
   *
   * @throws BackupCorrupt
   */
  filesSound(ask: { files: Files }): Promise<Found>;
  /** The paths are what the snapshot holds, by a listing. @throws NotEqual */
  filesAre(ask: { files: Files; snapshot: string }): Promise<Found>;
  /** What runs on the files answers as the plan says. @throws ReloadFailed */
  filesServe(ask: { files: Files }): Promise<Found>;
}

export interface FilesChanges {
  /** @throws BackupFailed a path is missing, or something could not be read @throws KeyLost @throws StoreUnreachable */
  backUpFiles(ask: { files: Files; tag: string }): Promise<Found & { snapshot: string; bytes: number; added: number }>;
  /** Into empty directories beside the paths, on their file systems; each file is compared with the snapshot as it was written. @throws BackupCorrupt */
  restoreFiles(ask: Beside & { snapshot: string }): Promise<Found & { bytes: number }>;
  /**
   * What would change: the names of all of it go into a file beside, the first ones into the answer. No content leaves the host.
   *
   * @returns `seen` stands for the paths as they are now: whoever replaces them later can tell whether they are still the same
   */
  filesDifferences(
    ask: Beside,
  ): Promise<Found & { places: (Differing & { path: string })[]; first: string[]; list: string; seen: string }>;
  /** Undo of a restore beside. */
  removeRestored(ask: Beside): Promise<Found>;
  /**
   * What lies in the paths is set aside (`<path>.before-<run>`), and what was restored takes its place, by renames.
   *
   * @throws Moved the paths are not as they were seen @throws NotReplaceable
   */
  replaceFiles(ask: Beside & { seen: string }): Promise<Found>;
  /** What runs on them takes the files up: tested first, and proven by new workers and an answer. @throws ReloadFailed */
  takeUpFiles(ask: { files: Files }): Promise<Found>;
  /** Undo: the paths as they were, and taken up again; what was restored is beside again. */
  giveFilesBack(ask: Beside): Promise<Found>;
  /** Once it is over: what was made beside goes; what was set aside stays, with the list of differences. */
  tidyFiles(ask: Beside): Promise<Found>;
}
