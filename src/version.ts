/** berth's own version; a test holds it equal to package.json's. */
export const BERTH_VERSION = '0.1.0';
